"""Packs by name and hash, and the rules that a list of them makes."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import msgspec

from gateway.core.journal import PackRef
from gateway.errors import Invalid
from gateway.model import Catalogue
from rules import PackError, RuleSet, load_packs
from rules.errors import Problem

#: What a pack of the site may be called: the name of its file without `.yaml`.
NAME = re.compile(r"\w[\w .-]{0,60}")
#: Begins the names under which the shipped packs can be looked at.
SHIPPED = "shipped."
#: Lists of packs whose rules are remembered: the one in force, and those that are being tried.
REMEMBERED = 8
#: Texts that are kept in memory; the others are fetched when they are asked for.
MOST_TEXTS = 200

Refs = tuple[PackRef, ...]


def check_name(name: object) -> str:
    """`name` as a pack's. Raises `Invalid`."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or name.endswith((".", " ", ".yaml")):
        raise Invalid("name", f"{str(name)[:80]!r} is no name of a pack: use letters, digits, '-', '_' and '.'")
    if name.startswith(SHIPPED):
        raise Invalid("name", f"'{name}' is a pack of the product: a pack of the site's own may change its rules")
    return name


def text_hash(text: str) -> str:
    """The name of a text: its SHA-256."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def file_of(ref: PackRef) -> str:
    """How a pack is called in messages."""
    return f"packs/{ref.name}.yaml" if ref.shipped else f"rules/{ref.name}.yaml"


class Shelf:
    """The texts that are known, and the rules they make. May be used by several threads.

    `find` fetches a text that is not known; it is called by the thread that asks.
    """

    def __init__(self, catalogue: Catalogue, shipped: Mapping[str, str], find: Callable[[str], str | None]) -> None:
        self._catalogue = catalogue
        self._find = find
        self._lock = threading.Lock()
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._made: OrderedDict[Refs, RuleSet | PackError] = OrderedDict()
        self.shipped: Refs = tuple(PackRef(name, text_hash(text), True) for name, text in sorted(shipped.items()))
        self.shipped_texts = {ref.hash: shipped[ref.name] for ref in self.shipped}

    def know(self, text: str) -> str:
        """Remembers a text; its hash."""
        named = text_hash(text)
        with self._lock:
            self._texts[named] = text
            while len(self._texts) > MOST_TEXTS:
                self._texts.popitem(last=False)
        return named

    def text(self, named: str) -> str | None:
        """The text with that hash, or None."""
        found = self.shipped_texts.get(named) or self._texts.get(named)
        if found is None and (found := self._find(named)) is not None:
            self.know(found)
        return found

    def load(self, refs: Sequence[PackRef]) -> RuleSet:
        """The rules of these packs. Raises `PackError` with everything wrong in any of them."""
        wanted = tuple(refs)
        with self._lock:
            made = self._made.get(wanted)
        if made is None:
            made = self._make(wanted)
            with self._lock:
                self._made[wanted] = made
                while len(self._made) > REMEMBERED:
                    self._made.popitem(last=False)
        if isinstance(made, PackError):
            raise made.with_traceback(None)
        return made

    def load_what_can_be(self, refs: Sequence[PackRef]) -> tuple[RuleSet, dict[str, PackError]]:
        """The rules of those packs that can be read, and why the others of the site cannot.

        A pack that an earlier version of the product took may be refused by this one; the others must go on.
        """
        broken: dict[str, PackError] = {}
        wanted = tuple(refs)
        while True:
            try:
                return self.load(wanted), broken
            except PackError as error:
                files = {problem.file for problem in error.problems}
                bad = [ref for ref in wanted if file_of(ref) in files and not ref.shipped]
                if not bad:
                    raise
                for ref in bad:
                    broken[ref.name] = PackError([one for one in error.problems if one.file == file_of(ref)])
                wanted = tuple(ref for ref in wanted if ref not in bad)

    def _make(self, refs: Refs) -> RuleSet | PackError:
        shipped: dict[str, str] = {}
        own: dict[str, str] = {}
        missing: list[Problem] = []
        for ref in refs:
            text = self.text(ref.hash)
            if text is None:
                missing.append(Problem(file=file_of(ref), line=1, column=1, message="the text of this version is lost"))
                continue
            (shipped if ref.shipped else own)[file_of(ref)] = text
        try:
            if missing:
                raise PackError(missing)
            return load_packs(own, self._catalogue, shipped)
        except PackError as error:
            return error


def problems_of(error: PackError) -> tuple[dict[str, str | int], ...]:
    """What is wrong, as plain values."""
    return tuple(msgspec.to_builtins(problem) for problem in error.problems)
