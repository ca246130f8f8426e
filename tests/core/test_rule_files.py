"""The thread beside the core: files are taken when they are still, written whole, and what waits is checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.core.editing.editor import Editor
from gateway.core.editing.folder import Folder
from gateway.core.editing.packs import Refs
from gateway.errors import GatehouseError, Unavailable
from gateway.model import Hidden
from tests.core.test_rule_edits import ANNA, BELA, FIRE, HELD, HOLD, burning, put, versions
from tests.support.lab import SYSTEM, Crash, Lab


class Hand:
    """An editor without its thread, and a clock of its own: the test is the thread."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.now = 100.0
        self.hidden: list[Hidden] = []
        self.asked: list[tuple[Refs, Refs]] = []
        self.fails = False
        self.again()

    def again(self) -> None:
        """As after a restart."""
        self.editor = Editor(self.lab.core, Folder(self.lab.packs), self._check, act=self._act)

    def _act(self, name: str, args: dict[str, Any]) -> bool:
        try:
            self.lab.act(name, actor=SYSTEM, **args)
        except GatehouseError:
            return False
        return True

    def _check(self, before: Refs, after: Refs) -> list[Hidden]:
        self.asked.append((before, after))
        if self.fails:
            raise Unavailable("no answer")
        return self.hidden

    def look(self, times: int = 3) -> None:
        for _ in range(times):
            self.now += 1.0
            self.editor.look(self.now)

    def file(self, name: str = "own") -> Path:
        return self.lab.packs / f"{name}.yaml"


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    lab = Lab(tmp_path, pack=Path("rules/packs/gateway.yaml").read_text("utf-8"))
    lab.device("lift-1", type="elevator")
    yield Hand(lab)
    lab.close()


def for_of(hand: Hand) -> float | None:
    rule = hand.lab.core.engine.rules.get("lift.held")
    return None if rule is None else rule.for_


def test_a_saved_file_is_taken_and_a_removed_one_too(hand: Hand) -> None:
    hand.file().write_text(HOLD)
    hand.look()
    assert for_of(hand) == 30.0
    hand.file().write_text(HOLD.replace("30s", "20s"))
    hand.look()
    assert for_of(hand) == 20.0
    hand.file().unlink()
    hand.look()
    assert for_of(hand) is None
    assert [(one.number, one.author, one.hash == "") for one in versions(hand.lab)] == [
        (1, "file", False), (2, "file", False), (3, "file", True),
    ]  # fmt: skip


def test_a_file_that_is_still_being_written_is_waited_for(hand: Hand) -> None:
    half = HOLD[:-20]
    hand.file().write_text(half)
    hand.look(1)
    hand.file().write_text(half + "\n#")
    hand.look(1)
    hand.file().write_text(HOLD)
    hand.look(1)
    assert versions(hand.lab) == []
    hand.look(1)
    assert [one.state.value for one in versions(hand.lab)] == ["accepted"]


def test_a_file_of_the_same_size_and_time_is_seen_to_be_another(hand: Hand) -> None:
    hand.file().write_text(HOLD)
    hand.look()
    before = hand.file().stat()
    hand.file().write_text(HOLD.replace("30s", "20s"))
    os.utime(hand.file(), ns=(before.st_atime_ns, before.st_mtime_ns))
    hand.look()
    assert for_of(hand) == 20.0


def test_looking_at_what_has_not_changed_reads_nothing(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    hand.file().write_text(HOLD)
    hand.look()
    monkeypatch.setattr(Folder, "read", lambda *_: pytest.fail("it was read again"))
    hand.look(10)


def test_a_folder_that_is_away_takes_no_rules_away(hand: Hand) -> None:
    hand.file().write_text(HOLD)
    hand.look()
    hand.lab.packs.rename(hand.lab.packs.with_name("elsewhere"))
    hand.look(5)
    assert for_of(hand) == 30.0
    hand.lab.crash()
    assert for_of(hand) == 30.0
    hand.lab.packs.mkdir()
    hand.again()
    hand.editor.write()
    assert hand.file().read_text() == HOLD


@pytest.mark.parametrize("name", [".hidden", "shipped.access", "a;b"])
def test_files_that_cannot_be_packs_are_left_alone(hand: Hand, name: str) -> None:
    (hand.lab.packs / f"{name}.yaml").write_text(HOLD)
    hand.look()
    assert hand.lab.core.book.packs == {}


def test_what_is_put_is_written_into_the_file(hand: Hand) -> None:
    put(hand.lab, HOLD)
    hand.editor.write()
    assert hand.file().read_text() == HOLD
    assert not hand.lab.core.book.row("own").unwritten
    hand.look()
    assert len(versions(hand.lab)) == 1
    hand.lab.act("rules.delete", actor=ANNA, pack="own", reason="x")
    hand.editor.write()
    assert not hand.file().exists()


def test_fault_034_a_crash_at_each_step_of_the_writing_leaves_the_old_or_the_new_and_they_agree_after_a_start(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hand.lab, HOLD)
    hand.editor.write()
    for number, step in enumerate(("fsync", "replace", "sync", "noted")):
        text = HOLD.replace("30s", f"{40 + number}s")
        before = hand.file().read_text()
        put(hand.lab, text)

        def die(*_: Any, **__: Any) -> Any:
            raise Crash

        with monkeypatch.context() as patch:
            if step == "fsync":
                patch.setattr(os, "fsync", die)
            elif step == "replace":
                patch.setattr(Path, "replace", die)
            elif step == "sync":
                patch.setattr(Folder, "_sync", die)
            else:
                patch.setattr(hand.editor, "_act", die)
            with pytest.raises(Crash):
                hand.editor.write()
        assert hand.file().read_text() == (before if step in ("fsync", "replace") else text)
        hand.lab.crash()
        hand.again()
        hand.editor.write()
        assert hand.file().read_text() == text
        hand.look()
        assert for_of(hand) == 40.0 + number
        assert [path.name for path in hand.lab.packs.glob("*.yaml")] == ["own.yaml"]


def test_a_full_disk_keeps_the_change_in_force_and_it_is_written_later(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hand.lab, HOLD)
    hand.editor.write()
    put(hand.lab, HOLD.replace("30s", "20s"))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        hand.editor.write()
    assert hand.file().read_text() == HOLD
    assert hand.lab.core.health()["rules"]["unwritten"] == ["own"]
    hand.look()
    assert for_of(hand) == 20.0
    hand.editor.write()
    assert hand.file().read_text() == HOLD.replace("30s", "20s")


def test_what_was_changed_by_hand_meanwhile_is_not_written_over(hand: Hand) -> None:
    put(hand.lab, HOLD)
    hand.editor.write()
    put(hand.lab, HOLD.replace("30s", "20s"))
    hand.file().write_text(HOLD.replace("30s", "10s"))
    hand.editor.write()
    hand.look()
    assert for_of(hand) == 10.0
    assert [one.author for one in versions(hand.lab)] == ["user:anna", "user:anna", "file"]


def test_a_refused_file_stays_as_it_is_until_somebody_puts_a_good_one(hand: Hand) -> None:
    put(hand.lab, HOLD)
    hand.editor.write()
    hand.file().write_text("- id: x\n")
    hand.look()
    hand.editor.write()
    assert hand.file().read_text() == "- id: x\n"
    put(hand.lab, HOLD.replace("30s", "20s"))
    hand.editor.write()
    assert hand.file().read_text() == HOLD.replace("30s", "20s")
    assert [one.state.value for one in versions(hand.lab)] == ["accepted", "refused", "accepted"]


# The check.


def test_a_change_that_hides_nothing_comes_into_force_after_its_check(hand: Hand) -> None:
    burning(hand.lab)
    assert put(hand.lab, FIRE.replace("10s", "11s"))["state"] == "checking"
    hand.editor.settle()
    assert hand.lab.core.engine.rules.get("own.fire").for_ == 11.0
    before, after = hand.asked[0]
    assert [ref.name for ref in before] == [ref.name for ref in after] == ["lab", "own"]


@pytest.mark.parametrize("fails", [False, True])
def test_one_that_hides_or_cannot_be_checked_waits(hand: Hand, fails: bool) -> None:
    alert = burning(hand.lab)
    hand.fails = fails
    hand.hidden = [Hidden(alert=alert, rule="own.fire", scope="lift-1", raised_at=1.0, why="not_raised")]
    put(hand.lab, FIRE.replace("10s", "2m"))
    hand.lab.crash()
    hand.again()
    hand.editor.settle()
    assert [(one.alert, one.why) for one in versions(hand.lab)[-1].hidden] == [
        (alert, "unknown" if fails else "not_raised")
    ]
    hand.lab.act("rules.confirm", actor=BELA, pack="own")
    hand.editor.write()
    assert "2m" in hand.file().read_text()


def test_a_file_that_hides_waits_and_is_left_as_it_is(hand: Hand) -> None:
    burning(hand.lab)
    hand.editor.write()
    hand.file().write_text("[]")
    hand.look()
    hand.editor.settle()
    assert hand.file().read_text() == "[]"
    assert hand.lab.core.engine.rules.get("own.fire") is not None
    hand.lab.act("rules.withdraw", actor=BELA, pack="own")
    hand.editor.write()
    assert hand.file().read_text() == FIRE
    hand.lab.say("lift-1", "elevator.status", **HELD)
