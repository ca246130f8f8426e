"""How deep a YAML text is nested, found out before it is composed.

libyaml, which reads it many times as fast as Python, composes by calling itself: a text of a million brackets would
overflow its stack and end the process that reads it, whatever that process was doing.
"""

from __future__ import annotations

from typing import Any

import yaml

#: No file of ours comes near it, and a stack holds it many times over.
DEEPEST = 100

#: libyaml where PyYAML was built with it.
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TooDeepError(yaml.MarkedYAMLError):
    """Collections within collections beyond `DEEPEST`. `problem_mark` is the first one that is too deep."""


class Depth:
    """Follows the events of one text. `see` raises `TooDeepError`."""

    def __init__(self) -> None:
        self._depth = 0

    def see(self, event: Any) -> None:
        """One more event, in the order of the text."""
        if isinstance(event, yaml.CollectionStartEvent):
            self._depth += 1
            if self._depth > DEEPEST:
                mark: Any = event.start_mark
                raise TooDeepError(None, None, f"nested too deeply: more than {DEEPEST} levels", mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1


def compose(text: str) -> yaml.Node | None:
    """The nodes of a text, each with its place; None where it is empty. Raises `yaml.YAMLError`, `TooDeepError` too."""
    depth = Depth()
    for event in yaml.parse(text, Loader=Loader):
        depth.see(event)
    return yaml.compose(text, Loader=Loader)
