"""A new adapter begins as a copy of `adapters/template/`, with its name put in."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path

from adapters import BUILT_IN
from gateway.errors import Conflict, UsageError

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")


def create(name: str, directory: Path) -> list[Path]:
    """Writes the package for an adapter called `name` into `directory / name`; the files written.

    Raises `UsageError` for a name that cannot be a package's, `Conflict` where the folder is not empty.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(f"{name!r} is no name for an adapter: use small letters, digits and _, as in my_meter")
    if name in {taken for taken, _ in BUILT_IN}:
        raise UsageError(f"{name!r} is the name of a built-in adapter; choose another")
    folder = directory / name
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty: choose another name or directory")
    places = {
        "README.md": folder / "README.md",
        "pyproject.toml": folder / "pyproject.toml",
        "package.py.txt": folder / name / "__init__.py",
        "adapter.py.txt": folder / name / "adapter.py",
        "fixtures.yaml": folder / "fixtures.yaml",
        "test_adapter.py.txt": folder / f"test_{name}.py",
    }
    template = files("adapters") / "template"
    for source, target in places.items():
        text = (template / source).read_text("utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("NAME", name).replace("CLASS", _class_name(name)), "utf-8")
    return list(places.values())


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
