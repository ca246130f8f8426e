"""Files of interlocks and proofs, read with every mistake named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from gateway.errors import GatehouseError
from gateway.model import Catalogue
from gateway.services.command_words import WORDS
from gateway.services.document_reading import Document, Path
from gateway.services.safety import FIRE, Feedback, Interlock, Safety
from rules.errors import Problem
from rules.expressions import Fields, Predicate, check, compile_truth, looks_back

_SECTIONS = ("interlocks", "feedback")
INTERLOCK_WORDS = ("id", "words", "devices", "kind", "requires", "void", "during", "blocked", "unknown")
FEEDBACK_WORDS = ("words", "devices", "kind", "when", "within")


class SafetyError(GatehouseError):
    """Interlocks or proofs were refused, all together. `problems` lists everything wrong, in the order of the files."""

    code: ClassVar[str] = "safety_refused"
    status: ClassVar[int] = 422
    exit_code: ClassVar[int] = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        noun = "problem" if len(self.problems) == 1 else "problems"
        listing = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            f"interlocks and feedback refused, {len(self.problems)} {noun}:\n{listing}",
            problems=[msgspec.to_builtins(problem) for problem in self.problems],
        )


def read_safety(texts: Mapping[str, str], catalogue: Catalogue) -> Safety:
    """What all files hold, given as name and text, shipped ones first. Proofs of later files are asked first.

    Raises `SafetyError` with every problem of every file. An id may stand once: the site adds interlocks, and replaces
    none of the product's.
    """
    problems: list[Problem] = []
    interlocks: list[Interlock] = []
    feedback: list[list[Feedback]] = []
    owners: dict[str, str] = {}
    for file, text in texts.items():
        reader = _Reader(file, problems, catalogue)
        document = reader.load(text) or {}
        if not reader.words(document, (), _SECTIONS, ()):
            continue
        for number, entry in enumerate(reader.entries(document, "interlocks")):
            made = reader.interlock(entry, ("interlocks", number))
            if made is None:
                continue
            if made.id in owners:
                message = f"interlock '{made.id}' is also in {owners[made.id]}: none can be replaced, choose another id"
                reader.wrong(("interlocks", number, "id"), message, made.id)
            owners.setdefault(made.id, file)
            interlocks.append(made)
        proofs = [reader.feedback(one, ("feedback", at)) for at, one in enumerate(reader.entries(document, "feedback"))]
        feedback.append([proof for proof in proofs if proof is not None])
    if problems:
        raise SafetyError(problems)
    return Safety(interlocks, [proof for proofs in reversed(feedback) for proof in proofs])


class _Reader(Document):
    """Checks one file of interlocks and proofs."""

    def __init__(self, file: str, problems: list[Problem], catalogue: Catalogue) -> None:
        super().__init__(file, problems)
        self._catalogue = catalogue

    def entries(self, document: dict[str, Any], section: str) -> list[Any]:
        """The section's list."""
        found = document.get(section) or []
        if isinstance(found, list):
            return found
        self.wrong((section,), "expected a list")
        return []

    def interlock(self, entry: Any, path: Path) -> Interlock | None:
        """One interlock; None where something is wrong with it."""
        before = len(self._problems)
        if not self.words(entry, path, INTERLOCK_WORDS, ("id", "words", "blocked")):
            return None
        self.ident(entry["id"], (*path, "id"))
        words, devices = self._commands(entry, path), self._patterns(entry, "devices", path)
        self.texts(entry, path, ("blocked", "unknown"))
        during = self._patterns(entry, "during", path) if "during" in entry else ()
        requires = void = None
        if ("requires" in entry) == bool(during):
            self.wrong(path, f"expected either 'requires' with 'kind', or 'during': {FIRE}, or names of rules")
        elif "requires" in entry:
            requires = self._predicate(entry, "requires", path)
            if "void" in entry:
                void = self._predicate(entry, "void", path)
            if "unknown" not in entry:
                self.wrong(path, "'unknown' is missing: what is said where the state is not known")
        if len(self._problems) > before:
            return None
        return Interlock(
            id=entry["id"],
            words=words,
            devices=devices,
            kind=entry.get("kind", ""),
            requires=requires,
            void=void,
            during=during,
            blocked=entry["blocked"],
            unknown=entry.get("unknown", {}),
        )

    def feedback(self, entry: Any, path: Path) -> Feedback | None:
        """One proof; None where something is wrong with it."""
        before = len(self._problems)
        if not self.words(entry, path, FEEDBACK_WORDS, ("words", "kind", "when")):
            return None
        words, devices = self._commands(entry, path), self._patterns(entry, "devices", path)
        self.duration(entry, "within", path)
        when = self._predicate(entry, "when", path)
        if when is None or len(self._problems) > before:
            return None
        return Feedback(words=words, devices=devices, kind=entry["kind"], when=when, within=entry.get("within"))

    def _commands(self, entry: dict[str, Any], path: Path) -> tuple[str, ...]:
        words = self._patterns(entry, "words", path)
        for word in words:
            if word not in WORDS:
                self.wrong((*path, "words"), f"'{word}' is no command word", word, WORDS)
        return words

    def _patterns(self, entry: dict[str, Any], name: str, path: Path) -> tuple[str, ...]:
        value = entry.get(name, ["*"])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
            self.wrong((*path, name), "expected a word, or a list of words")
            return ()
        return tuple(value)

    def _predicate(self, entry: dict[str, Any], name: str, path: Path) -> Predicate | None:
        kind = entry.get("kind")
        if not isinstance(kind, str) or self._catalogue.get(kind) is None:
            place = (*path, "kind") if "kind" in entry else path
            self.wrong(place, f"'{kind}' is no kind of event", kind or "", self._catalogue.kinds)
            return None
        truth, _, complaints = check(str(entry[name]), Fields(self._catalogue, (kind,)))
        for complaint in complaints:
            hint = f"; {complaint.suggestion}" if complaint.suggestion else ""
            self.wrong((*path, name), complaint.message + hint, complaint.text)
        if complaints:
            return None
        if truth is None or looks_back(truth):
            self.wrong((*path, name), "expected something true or false of the newest event alone", entry[name])
            return None
        return compile_truth(truth, f"{name} of {kind}")
