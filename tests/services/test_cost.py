"""What the desk costs: a repeat is cheap, and ten thousand open alerts make nothing slow.

Of processor time, and the bounds are several times what a slow core needs: only a change of kind fails them.
"""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time

from gateway.model import Action, Changes, Evidence, Pass, Question, Raised
from tests.services.story import ANNA, DEVICES, SITES, ZONES, Story


def raised(scope: str, seq: int, now: float, again: bool = True) -> Raised:
    evidence = (Evidence(seq, "door-1", "access.door", now, {"state": "open"}),)
    return Raised(
        rule="access.held", scope=scope, at=now, site="garden", device="door-1", again=again, evidence=evidence
    )


def best_of(runs: int, once: Callable[[], None]) -> float:
    times = []
    for _ in range(runs):
        begin = thread_time()
        once()
        times.append(thread_time() - begin)
    return min(times)


def test_a_repeat_of_an_alert_costs_microseconds_also_among_ten_thousand_others() -> None:
    story = Story()
    story.desk.apply([raised(f"s{n}", n, story.now, False) for n in range(10_000)], story.now, story.wall, Changes())
    changes = [[raised("s77", 20_000 + n, story.now + n / 10)] for n in range(1000)]

    def repeats() -> None:
        out = Changes()
        for change in changes:
            story.desk.apply(change, change[0].at, story.wall, out)

    cost = best_of(5, repeats) / 1000
    print(f"a repeat: {cost * 1e6:.1f} us")
    assert cost < 60e-6


def test_waiting_with_ten_thousand_shelved_alerts_costs_nothing_and_their_return_little() -> None:
    story = Story()
    out = Changes()
    story.desk.apply([raised(f"s{n}", n, story.now, False) for n in range(10_000)], story.now, story.wall, out)
    for ident in list(story.desk.alerts.open):
        shelve = Action(name="alert.shelve", args={"alert": ident, "reason": "works", "minutes": 60}, actor=ANNA)
        story.desk.act(shelve, story.now, story.wall, out)

    def idle() -> None:
        for _ in range(1000):
            story.desk.advance(story.now + 1, story.wall, Changes())
            story.desk.next_due()

    cost = best_of(3, idle) / 1000
    begin = thread_time()
    story.desk.advance(story.now + 3600, story.wall, Changes())
    together = thread_time() - begin
    print(f"advance with nothing due: {cost * 1e6:.1f} us; 10,000 returns at once: {together * 1e3:.0f} ms")
    assert story.desk.next_due() == story.now + 86400, "nothing but that they will be stale tomorrow"
    assert cost < 30e-6
    assert together < 3.0


def test_an_event_that_is_not_for_the_desk_is_passed_over() -> None:
    story = Story()
    event = story.event("meter-1", "meter.reading", power_w=1.0)

    def many() -> None:
        out = Changes()
        for _ in range(10_000):
            story.desk.observe(event, story.now, story.wall, out)

    cost = best_of(3, many) / 10_000
    print(f"an event that is not for the desk: {cost * 1e9:.0f} ns")
    assert cost < 3e-6


def test_a_decision_among_ten_thousand_passes_takes_microseconds() -> None:
    story = Story()
    passes = [Pass(id=f"ps-{n}", site="garden", kind="plate", value=f"A{n:05d}") for n in range(10_000)]
    story.desk.restore(passes=passes, devices=DEVICES, zones=ZONES, sites=SITES)
    question = Question(kind="plate", value="a 00777")

    def ask() -> None:
        for _ in range(200):
            decision = story.desk.decide(question, DEVICES["barrier-1"], None, story.now, story.wall, Changes())
            assert decision.pass_id == "ps-777"

    cost = best_of(3, ask) / 200
    print(f"a decision with its command: {cost * 1e6:.0f} us")
    assert cost < 500e-6
