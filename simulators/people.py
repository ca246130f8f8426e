"""Who lives here: residents with person numbers, cards and plates, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹"
_GIVEN: tuple[str, ...] = ("伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟")
_GIVEN += ("涛", "明", "超", "秀兰")
_GIVEN += ("霞", "平", "刚", "桂英", "子轩", "雨涵", "欣怡", "浩然", "梓涵", "一诺", "思远", "佳宁", "志强", "建国")
_PROVINCES = "粤粤粤粤湘桂赣闽鄂苏"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "0123456789"


@dataclass(frozen=True, slots=True)
class Resident:
    """One person. `number` is the person number enrolled in the terminals, `plate` "" where they have no car."""

    number: str
    name: str
    building: str
    card: str
    plate: str


def residents(seed: int, buildings: Sequence[str], per_building: int) -> list[Resident]:
    """The people of a compound; every second one has a car."""
    random = Random(f"{seed}/residents")
    people: list[Resident] = []
    plates: set[str] = set()
    for building in buildings:
        for _ in range(per_building):
            index = len(people) + 1
            plate = ""
            if random.random() < 0.5:
                plate = new_plate(random)
                while plate in plates:
                    plate = new_plate(random)
                plates.add(plate)
            name = random.choice(_SURNAMES) + random.choice(_GIVEN)
            card = f"{random.randrange(10**9, 10**10):010d}"
            people.append(Resident(f"R{index:05d}", name, building, card, plate))
    return people


def new_plate(random: Random) -> str:
    """A licence plate of mainland China: province, city letter, five or (new energy) six characters."""
    head = random.choice(_PROVINCES) + random.choice("ABCDEF")
    if random.random() < 0.3:
        return head + random.choice("DF") + "".join(random.choices(_DIGITS, k=5))
    tail = random.choices(_DIGITS, k=3) + random.choices(_LETTERS + _DIGITS, k=2)
    random.shuffle(tail)
    return head + "".join(tail)
