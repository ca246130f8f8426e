"""Backtests over a real core's journal: the same pack says what did fire; another says what would have."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Home
from rules.backtest import Episode, Fired, compare, load_of
from rules.inputs import Head, Placed, Told, write_stream
from tests.retrospect.support import PACK, HomeLab, answer, gatehouse, when
from tests.support.lab import START


def pack_of(place: Path, text: str, name: str = "tried.yaml") -> str:
    (place / name).write_text(text, "utf-8")
    return str(place / name)


def names(alerts: list[dict[str, Any]]) -> list[str]:
    return [alert["rule"] for alert in alerts]


def test_the_same_pack_over_the_journal_gives_exactly_the_alerts_that_did_fire(shift: HomeLab, tmp_path: Path) -> None:
    report = answer(gatehouse(shift.home, "rules", "backtest", pack_of(tmp_path, PACK), "--json"))
    did = shift.alerts()
    assert len(did) >= 6 and {alert.rule for alert in did} == {rule.id for rule in shift.rules}
    met = report["comparison"]
    assert (met["only_then"], met["only_now"]) == ([], [])
    assert {match["then"]["id"] for match in met["matched"]} == {alert.id for alert in did}
    assert [match["shift_s"] for match in met["matched"]] == [0.0] * len(did)
    would = {(alert["rule"], alert["scope"], alert["raised_at"]) for alert in report["alerts"]}
    assert {(alert.rule, alert.scope, alert.raised_at) for alert in did} <= would
    assert sum(1 + alert["again"] for alert in report["alerts"]) == sum(alert.count for alert in did)
    assert report["now"]["work_orders"] == report["then"]["work_orders"] == len(shift.work_orders()) > 0
    assert report["against"] == "live" and report["not_compared"] == 0


def test_the_shipped_packs_over_the_journal_give_what_did_fire(home: Home) -> None:
    site = HomeLab.shipped(home)
    site.device("door-1", type="door", report_interval=60)
    site.say("door-1", "access.door", state="open", locked=False, forced=True, cause="force")
    site.device("lift-1", type="elevator")
    site.say("lift-1", "elevator.status", motion="stopped", in_door_zone=False, occupied=True, door="closed")
    site.wait(400, step=5)
    report = answer(gatehouse(home, "rules", "backtest", "--json"))
    assert len(report["comparison"]["matched"]) == len(site.alerts()) >= 2
    assert report["comparison"]["only_then"] == report["comparison"]["only_now"] == []
    site.close()


def test_a_longer_hold_drops_alerts_and_a_new_rule_adds_some(shift: HomeLab, tmp_path: Path) -> None:
    changed = PACK.replace("for: 30s", "for: 40s") + (
        "- {id: door.opened, title: Opened, severity: low, on: access.door, when: state == 'open'}\n"
    )
    report = answer(gatehouse(shift.home, "rules", "backtest", pack_of(tmp_path, changed), "--json"))
    rows = {row["rule"]: row for row in report["by_rule"]}
    assert rows["door.held"]["only_then"] == 1 and rows["door.held"]["now"] == rows["door.held"]["matched"]
    assert rows["door.opened"]["only_now"] == rows["door.opened"]["now"] == 2 and rows["door.opened"]["then"] == 0
    assert names(report["comparison"]["only_then"]) == ["door.held"]
    text = gatehouse(shift.home, "rules", "backtest", pack_of(tmp_path, changed)).stdout
    assert "1 that only did come" in text and "2 that only would come" in text


def test_only_the_rules_of_the_pack_are_compared_and_the_rest_is_counted(shift: HomeLab, tmp_path: Path) -> None:
    one = pack_of(tmp_path, PACK.split("- id: door.denials", maxsplit=1)[0])
    report = answer(gatehouse(shift.home, "rules", "backtest", one, "--json"))
    assert {row["rule"] for row in report["by_rule"]} == {"door.held"}
    assert report["not_compared"] == len([alert for alert in shift.alerts() if alert.rule != "door.held"])


def test_a_span_begins_with_what_was_under_way(shift: HomeLab, tmp_path: Path) -> None:
    held = next(alert for alert in shift.alerts() if alert.rule == "door.held")
    span = ("--since", when(held.raised_at - 5), "--until", when(held.raised_at + 1))
    report = answer(gatehouse(shift.home, "rules", "backtest", pack_of(tmp_path, PACK), *span, "--json"))
    assert [(alert["rule"], alert["raised_at"]) for alert in report["alerts"]] == [("door.held", held.raised_at)]
    before = ("--since", when(held.raised_at - 5), "--until", when(held.raised_at - 1))
    report = answer(gatehouse(shift.home, "rules", "backtest", pack_of(tmp_path, PACK), *before, "--json"))
    assert report["alerts"] == [] and report["events"] < 10


def test_an_exported_file_gives_the_same_report_elsewhere(shift: HomeLab, tmp_path: Path) -> None:
    file, pack = str(tmp_path / "week.inputs"), pack_of(tmp_path, PACK)
    gatehouse(shift.home, "journal", "export", file)
    here = answer(gatehouse(shift.home, "rules", "backtest", pack, "--json", "--against", "none"))
    elsewhere = Home(tmp_path / "laptop")
    there = answer(gatehouse(elsewhere, "rules", "backtest", pack, "--file", file, "--json"))
    for told in (here, there):
        del told["took_s"]
    assert there == here and there["comparison"] is None and len(there["alerts"]) >= 6


def test_two_versions_of_a_pack_are_compared_with_each_other(shift: HomeLab, tmp_path: Path) -> None:
    old, new = pack_of(tmp_path, PACK, "old.yaml"), pack_of(tmp_path, PACK.replace("at_least: 3", "at_least: 9"))
    report = answer(gatehouse(shift.home, "rules", "backtest", new, "--against", old, "--json"))
    assert report["against"] == old
    assert set(names(report["comparison"]["only_then"])) == {"door.denials"}
    assert report["comparison"]["only_now"] == []


FLAPPING = """
- id: door.open
  title: {en: "{device.name} open", zh: "{device.name} 开"}
  severity: low
  on: access.door
  when: state == 'open'
"""


def test_a_milder_rule_is_suggested_that_keeps_what_led_to_a_work_order(home: Home, tmp_path: Path) -> None:
    site = HomeLab(home, FLAPPING)
    site.device("door-1", type="door")
    for length in (5, 5, 5, 25, 5, 5, 5, 5, 5, 25, 5, 5, 5, 25):
        site.say("door-1", "access.door", state="open")
        site.wait(length, step=5)
        if length == 25:
            site.act("alert.work_order", alert=site.alerts(open_only=True)[0].id, team="doors")
        site.say("door-1", "access.door", state="closed")
        site.act("alert.acknowledge", alert=site.alerts(open_only=True)[0].id)
        site.wait(90, step=30)
    result = gatehouse(home, "rules", "backtest", pack_of(tmp_path, FLAPPING), "--json")
    told = {one["change"]: one for one in answer(result)["suggestions"]}
    mild = told["for: 10s"]
    assert (mild["alerts"], mild["instead_of"]) == (3, 14)
    assert mild["text"]["en"] == (
        "`for: 10s` would have given 3 alerts instead of 14, and still the one that led to a work order"
    )
    assert mild["text"]["zh"].startswith("`for: 10s` 将只产生 3 条警报")
    text = gatehouse(home, "rules", "backtest", pack_of(tmp_path, FLAPPING)).stdout
    assert "door.open: `for: 10s` would have given 3 alerts instead of 14" in text
    assert answer(gatehouse(home, "rules", "backtest", "--no-suggest", "--json"))["suggestions"] == []
    site.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "1h", "--until", "2h"), "--since is not before --until"),
        (("--against", "nowhere.yaml"), "there is no pack 'nowhere.yaml'"),
        (("--file", "{folder}/bad.yaml"), "it was not made by 'gatehouse journal export'"),
        (("{folder}/nowhere.yaml",), "does not exist"),
        (("--since", "2031-01-01T00:00:00Z"), "nothing came in after 'since'"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(
    shift: HomeLab, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    pack_of(tmp_path, "- id: [", "bad.yaml")
    result = gatehouse(shift.home, "rules", "backtest", *(word.format(folder=tmp_path) for word in words))
    assert result.exit_code in (1, 2) and says in result.stderr, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1 and result.stdout == ""


def test_a_broken_pack_is_told_with_its_lines(site: HomeLab, tmp_path: Path) -> None:
    bad = pack_of(tmp_path, "- {id: x, title: X, severity: bad, on: access.door}\n", "bad.yaml")
    result = gatehouse(site.home, "rules", "backtest", bad)
    assert result.exit_code == 2 and "bad.yaml:1:" in result.stderr


def many_inputs(count: int) -> Any:
    from gateway.model import Device

    device = Device(id="door-1", site="s1", adapter="cloudevents", external_id="door-1", type="door")
    yield Placed(START, START, [device], {}, True)
    for number in range(count):
        at = START + number
        yield Told("door-1", "access.door", at, at, at, {"state": "open" if number % 2 else "closed"}, site="s1")


@pytest.mark.slow
def test_ctrl_c_ends_a_backtest_with_one_line(tmp_path: Path) -> None:
    import gzip

    file = tmp_path / "long.inputs"
    with gzip.open(file, "wb", 1) as out:
        write_stream(out, Head(since=START, until=START + 3_000_000, made_at=0.0), many_inputs(3_000_000))  # type: ignore[arg-type]
    words = ("--home", str(tmp_path / "home"), "rules", "backtest", pack_of(tmp_path, FLAPPING), "--file", str(file))
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", *words, "--owned"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline().startswith("progress 0.")
    process.send_signal(signal.SIGINT)
    out_text, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out_text == ""
    assert [line for line in err.splitlines() if line and not line.startswith("progress")] == [
        "gatehouse rules backtest: cancelled, nothing was written"
    ]


# The figures, by hand.


def at(*times: float, severity: str = "low") -> list[Episode]:
    return [Episode(rule="r", scope="s", raised_at=time, momentary=True, severity=severity) for time in times]


def test_a_flood_begins_with_more_than_ten_in_ten_minutes_and_ends_with_fewer_than_five() -> None:
    ten = load_of(at(*range(0, 600, 60)), 0, 3600, 0)
    assert (ten.peak_10m, ten.floods, ten.flood_share) == (10, (), 0.0)
    flood = load_of(at(*range(0, 600, 50), severity="high"), 0, 3600, 2, positions=2)
    assert flood.peak_10m == 12 and flood.peak_at == 0
    assert [(one.begins, one.ends, one.alerts) for one in flood.floods] == [(500, 950, 12)]
    assert flood.flood_share == round(450 / 3600, 5)
    assert flood.per_operator_hour == 6.0 and flood.work_orders == 2
    assert flood.mix == {"critical": 0, "high": 12, "medium": 0, "low": 0}


def test_alerts_are_the_same_where_they_stand_at_the_same_time() -> None:
    def did(raised: float, ended: float | None, scope: str = "s") -> Fired:
        return Fired(rule="r", scope=scope, raised_at=raised, ended_at=ended)

    def would(raised: float, ended: float | None, scope: str = "s") -> Episode:
        return Episode(rule="r", scope=scope, raised_at=raised, ended_at=ended)

    met = compare(
        [did(100, 400), did(1000, 1100), did(5000, None), did(100, 200, "other")],
        [would(130, 150), would(300, 310), would(900, 1050), would(9000, None), would(100, 120, "third")],
    )
    assert [(one.then.raised_at, one.times, one.shift_s) for one in met.matched] == [
        (100, 2, 30.0), (1000, 1, -100.0), (5000, 1, 4000.0),
    ]  # fmt: skip
    assert [one.scope for one in met.only_then] == ["other"]
    assert [one.scope for one in met.only_now] == ["third"]
