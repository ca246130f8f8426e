"""A text of brackets alone must not end the process that reads it, whoever sends it and whatever for."""

from __future__ import annotations

import subprocess
import sys

import pytest

DEEP = "deep = '[' * 900_000 + ']' * 900_000\n"
READERS = {
    "a rule pack": "from rules.document import Document\n"
    "one = Document('x.yaml', deep); one.root(); said = str(one.problems[0])",
    "a plan": "from gateway.services.document_reading import Document\n"
    "found = []; Document('x.yaml', found).load(deep); said = str(found[0])",
    "a mapping": "from adapters.mapping.document import MappingError, read_document\n"
    "try:\n    read_document(deep, 'x.yaml')\nexcept MappingError as error:\n    said = str(error)",
}


@pytest.mark.parametrize("what", READERS)
def test_a_million_brackets_are_refused_by_name_and_place(what: str) -> None:
    code = DEEP + READERS[what] + "\nprint(said)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{what}: the reader ended with {done.returncode}\n{done.stderr[-500:]}"
    assert "x.yaml" in done.stdout and "nested too deeply" in done.stdout, done.stdout
