"""A key ring in memory."""

from __future__ import annotations


class Keys:
    """Signs and reads visitors' codes as the file of keys does; it outlives a desk or a core."""

    def __init__(self) -> None:
        self.all = ["key-1-of-the-tests"]
        self._made = 1

    def keys(self) -> list[str]:
        return self.all

    def rotate(self, wall: float, *, at_once: bool) -> None:
        self._made += 1
        self.all = [*([] if at_once else self.all), f"key-{self._made}-of-the-tests"]
