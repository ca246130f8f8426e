"""Files of interlocks and proofs, right and wrong."""

from __future__ import annotations

import pytest

from gateway.errors import Conflict
from gateway.services import SafetyError, read_safety
from gateway.services.command_words import WORDS
from rules.commands import safety_texts
from tests.services.story import CATALOGUE, Story

OWN = """
interlocks:
  - id: no-pump-when-dry
    words: [raise]
    devices: [barrier]
    during: [access.held]
    blocked: {en: a door is held open, zh: 有门未关}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(SafetyError) as info:
        read_safety({**safety_texts(), "own.yaml": text}, CATALOGUE)
    return [str(problem) for problem in info.value.problems]


def test_the_shipped_ones_load_and_watch_what_they_ask_for() -> None:
    safety = read_safety(safety_texts(), CATALOGUE)
    assert {"parking.barrier", "access.door", "elevator.status"} <= safety.kinds
    assert all(set(one.blocked) == {"en", "zh"} for one in safety.interlocks)
    assert {word for one in safety.interlocks for word in one.words} >= {"lower", "lock", "lock_down"}


def test_a_site_adds_an_interlock_of_its_own() -> None:
    story = Story(safety=read_safety({**safety_texts(), "own.yaml": OWN}, CATALOGUE))
    story.act("command.request", device="barrier-1", name="raise")
    story.raised("access.held")
    with pytest.raises(Conflict, match="a door is held open"):
        story.act("command.request", device="barrier-1", name="raise")
    story.raised("fire.alarm", "smoke-1", "fire.alarm")
    story.act("command.request", device="barrier-1", name="raise")


def test_a_sites_proof_comes_before_the_shipped_one() -> None:
    own = "feedback:\n  - {words: [raise], kind: parking.barrier, when: position == 'moving', within: 2s}\n"
    safety = read_safety({**safety_texts(), "own.yaml": own}, CATALOGUE)
    barrier = Story().desk._common.world.devices["barrier-1"]
    assert safety.proofs("raise", barrier)[0].within == 2.0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("interlocks:\n  - {id: a, words: [opne], during: fire, blocked: {en: x, zh: x}}", "'opne' is no command word"),
        ("interlocks:\n  - {id: a, words: [open], blocked: {en: x, zh: x}}", "expected either 'requires'"),
        ("interlocks:\n  - {id: a, words: [open], during: fire, blocked: {en: x}}", "expected blocked in both"),
        ("interlocks:\n  - {id: fire-releases, words: [lock], during: fire, blocked: {en: x, zh: x}}", "replaced"),
        ("interlokcs: []", "did you mean 'interlocks'?"),
        ("feedback:\n  - {words: [raise], kind: parking.barier, when: fault}", "did you mean 'parking.barrier'?"),
        ("feedback:\n  - {words: [raise], kind: parking.barrier, when: loop_ocupied}", "did you mean 'loop_occupied'?"),
        ("feedback:\n  - {words: [raise], kind: parking.barrier, when: changed(fault)}", "of the newest event alone"),
        ("feedback:\n  - {words: [raise], kind: parking.barrier, when: fault, within: 5}", "write 5s for seconds"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_was_meant(text: str, wanted: str) -> None:
    assert any(wanted in problem for problem in problems(text)), problems(text)


def test_every_word_that_locks_or_lowers_is_behind_an_interlock() -> None:
    safety = read_safety(safety_texts(), CATALOGUE)
    guarded = {word for one in safety.interlocks for word in one.words}
    assert {"lower", "lock", "lock_down"} <= guarded and not {w for w in guarded if WORDS[w].releases}
