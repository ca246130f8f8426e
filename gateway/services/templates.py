"""Texts for people from a rule's templates and untrusted values. Plain text in, plain text out (FAULTS 91)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.model import Catalogue, Device, Raised, Withheld
from gateway.services.world import World

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]{0,63})\}")
#: Control characters, line breaks, and the marks that turn the direction of writing.
_UNSEEMLY = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_LONGEST_VALUE = 80
_LONGEST_TITLE = 300
_LONGEST_TEXT = 4000
_FLAGS = {"en": ("no", "yes"), "zh": ("否", "是")}


def plain(text: str, longest: int = _LONGEST_VALUE) -> str:
    """The text on one line, without control characters, cut with an ellipsis."""
    text = _UNSEEMLY.sub(" ", text).strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def masked(value: str) -> str:
    """Personal data, unrecognisable to strangers and recognisable to those who know it: `京A12345` is `京A***45`."""
    if len(value) <= 3:
        return "*" * len(value)
    head = 2 if len(value) > 5 else 1
    tail = 2 if len(value) > 5 else 1
    return f"{value[:head]}***{value[-tail:]}"


def shown(value: Any, language: str) -> str:
    """A value for reading: numbers rounded to two decimals, flags in words, everything bounded."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return _FLAGS.get(language, _FLAGS["en"])[value]
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else f"{value:.3g}"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else f"{float(max(-(10**300), min(value, 10**300))):.3g}"
    return plain(str(value))


class Templates:
    """Renders rule texts. Fields which the catalogue marks as personal are masked: a title is seen by everybody."""

    def __init__(self, world: World, catalogue: Catalogue) -> None:
        self._world = world
        self._personal = frozenset(
            name for kind in catalogue.kinds.values() for name, field in kind.fields.items() if field.personal
        )

    def title(self, texts: Mapping[str, str], raised: Raised | Withheld, device: Device | None) -> dict[str, str]:
        """As `render`, on one line of at most 300 characters."""
        return {language: plain(text, _LONGEST_TITLE) for language, text in self.render(texts, raised, device).items()}

    def render(self, texts: Mapping[str, str], raised: Raised | Withheld, device: Device | None) -> dict[str, str]:
        """Each language's text with its placeholders filled; those it does not know stay as they are."""
        if not any("{" in text for text in texts.values()):
            return dict(texts)
        hidden = {value for name, value in raised.values.items() if name in self._personal and isinstance(value, str)}
        filled = {}
        for language, text in texts.items():
            facts = self._facts(raised, device, language)

            def fill(match: re.Match[str], facts: dict[str, Any] = facts, language: str = language) -> str:
                name = match[1]
                if name not in facts:
                    return match[0]
                value = facts[name]
                personal = name in self._personal or (isinstance(value, str) and value in hidden)
                text = shown(value, language)
                return masked(text) if personal and value is not None else text

            filled[language] = _PLACEHOLDER.sub(fill, text)[:_LONGEST_TEXT]
        return filled

    def _facts(self, raised: Raised | Withheld, device: Device | None, language: str) -> dict[str, Any]:
        world = self._world
        facts: dict[str, Any] = dict(raised.values)
        facts["scope"] = self._named(raised.scope, language)
        facts.setdefault("count", 1)
        facts["rule"] = raised.rule
        site = world.sites.get(raised.site)
        facts["site.id"] = raised.site
        facts["site.name"] = _name(site.name, language, raised.site) if site is not None else raised.site
        zone = device.zone if device is not None else raised.scope
        if zone is not None and (device is not None or zone in world.zones):
            facts["zone.id"] = zone
            facts["zone.name"] = self._named(zone, language)
        if device is not None:
            facts["device.id"] = device.id
            facts["device.name"] = _name(device.name, language, device.id)
            facts["device.type"] = device.type
            if device.building is not None:
                facts["building"] = facts["building.name"] = self._named(device.building, language)
        return facts

    def _named(self, ident: str, language: str) -> str:
        """The name of the device, zone or site with that id, or the id."""
        world = self._world
        thing = world.devices.get(ident) or world.zones.get(ident) or world.sites.get(ident)
        return ident if thing is None else _name(thing.name, language, ident)


def _name(names: Mapping[str, str], language: str, default: str) -> str:
    return names.get(language) or next(iter(names.values()), default)
