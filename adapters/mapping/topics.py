"""Topic filters with named captures: `mqtt/face/{id}/Rec`, with `+` and a last `#` as in MQTT."""

from __future__ import annotations

import re

_CAPTURE = re.compile(r"\{(?P<name>[a-z_][a-z0-9_]*)\}")


class TopicFilter:
    """One filter. `mqtt` is what to subscribe to. Raises `ValueError` for what is no filter."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._levels: list[str | None] = []
        self._captures: list[tuple[int, str]] = []
        self._open = False
        levels = text.split("/")
        for index, level in enumerate(levels):
            capture = _CAPTURE.fullmatch(level)
            if capture:
                self._captures.append((index, capture["name"]))
                self._levels.append(None)
            elif level == "+":
                self._levels.append(None)
            elif level == "#" and index == len(levels) - 1:
                self._open = True
            elif any(sign in level for sign in "+#{}"):
                raise ValueError(f"{text!r} is no topic filter: {level!r} is neither a name, +, {{name}} nor a last #")
            else:
                self._levels.append(level)
        wild = ["+" if level is None else level for level in self._levels] + (["#"] if self._open else [])
        self.mqtt = "/".join(wild)

    def match(self, levels: list[str]) -> dict[str, str] | None:
        """The captures, if the topic split at its slashes is meant; None if not."""
        own = self._levels
        if len(levels) != len(own) and not (self._open and len(levels) >= len(own)):
            return None
        for mine, theirs in zip(own, levels, strict=False):
            if mine is not None and mine != theirs:
                return None
        return {name: levels[index] for index, name in self._captures}

    def covers(self, other: TopicFilter) -> bool:
        """Whether every topic that `other` means is meant by this filter too."""
        mine, theirs = self._levels, other._levels
        if len(theirs) < len(mine) or (not self._open and (other._open or len(mine) != len(theirs))):
            return False
        return all(own is None or own == foreign for own, foreign in zip(mine, theirs, strict=False))
