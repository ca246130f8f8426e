"""The alert queue, as an operator uses it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.page.conftest import until
from tests.page.screens import NASTY
from tests.support.brokers import SHARED

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.standin import StandIn

pytestmark = pytest.mark.browser
Open = Callable[..., "Page"]


def rows(page: Page) -> list[str]:
    """The texts of the rows that are drawn, from the top."""
    found = page.locator(".grid-alerts .row").evaluate_all(
        """rows => rows.map(row => [
            new DOMMatrix(getComputedStyle(row).transform).f, row.querySelector('.text').textContent])"""
    )
    return [text for _, text in sorted(found)]


def test_the_most_urgent_and_oldest_stand_first(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    assert rows(page)[:3] == ["People trapped in Lift 5", "Door 2-1 was forced open", "Barrier 2 does not come down"]


def test_g_and_a_letter_goes_to_a_screen_and_a_letter_alone_does_not(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    for key, screen in (
        ("d", "devices"),
        ("w", "orders"),
        ("t", "schedules"),
        ("o", "duty"),
        ("p", "plans"),
        ("c", "passes"),
        ("r", "rules"),
        ("k", "reports"),
        ("s", "health"),
        ("a", "alerts"),
    ):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.locator(f'.rail [aria-current=page][href="#/{screen}"]').wait_for()
    page.keyboard.press("d")
    assert page.evaluate("location.hash") == "#/alerts"


def test_what_happened_to_an_alert_elsewhere_shows_without_a_touch(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    page.locator(".row", has_text="Barrier 2").click()
    alert = next(each for each in standin.world.tables["alerts"].values() if each["device"] == "barrier-2")
    standin.world.put(
        "alerts", {**alert, "state": "returned", "active": False, "returned_at": standin.world.time(), "version": 9}
    )
    page.locator(".sheet .tag", has_text="Returned").wait_for()
    assert page.locator(".row[aria-selected=true] .text").text_content() == "Barrier 2 does not come down"


def test_new_alerts_do_not_move_the_row_under_the_cursor(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    for _ in range(4):
        page.keyboard.press("j")
    row = page.locator(".row[aria-selected=true]")
    before, text = row.bounding_box(), row.locator(".text").text_content()
    for number in range(5):
        standin.world.alert(f"Fire in Building {number}", "critical")
    page.locator(".waiting", has_text="5 new above").wait_for()
    after = row.bounding_box()
    assert row.locator(".text").text_content() == text
    assert before is not None and after is not None and abs(before["y"] - after["y"] - _strips(page)) < 2
    page.locator(".waiting").click()
    assert rows(page)[1].startswith("Fire in Building")


def _strips(page: Page) -> float:
    """How far strips that came meanwhile pushed the page down; none here, as the critical strip stood before."""
    return 0.0


def test_fault_091_a_device_named_as_markup_is_text_on_every_screen(standin: StandIn, opened: Open) -> None:
    world = standin.world
    nasty = {"en": NASTY, "zh": NASTY}
    world.tables["devices"]["door-201"] |= {"name": nasty}
    world.tables["zones"]["b2"]["name"] = nasty
    world.tables["sites"]["greenlake"]["name"] = nasty
    world.put("alerts", {**world.tables["alerts"]["AL-0001"], "title": nasty, "advice": nasty, "device": "door-201",
        "version": 7,
                         "values": {NASTY: NASTY}, "comments": [{"by": NASTY, "written_at": world.time(),
                         "text": NASTY}]})  # fmt: skip
    world.put(
        "work-orders",
        {**world.tables["work-orders"][next(iter(world.tables["work-orders"]))], "title": nasty, "version": 7},
    )
    world.put("passes", {**world.tables["passes"][next(iter(world.tables["passes"]))], "name": NASTY, "note": NASTY})
    world.lists["dead-letters"][0]["reason"] = NASTY
    page = opened(standin, "#/alerts/AL-0001")
    page.locator(".sheet h2", has_text="{{7*7}}").wait_for()
    for where in ("devices/door-201", "orders", "plans", "passes", "health"):
        page.evaluate("where => { location.hash = '#/' + where }", where)
        page.get_by_text("{{7*7}}").first.wait_for()
        assert page.evaluate("window.hacked") is None, f"markup ran on {where}"
        assert page.locator("#room img").count() == 0, f"markup was parsed on {where}"


FROM_KEY_TO_ROW = """async () => {
  const grid = document.querySelector('.grid-scroll');
  const press = async (key, row) => {
    grid.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
    while (!document.querySelector(row)) await new Promise(requestAnimationFrame);
  };
  await press('End', '.row[aria-rowindex="10001"]');
  const began = performance.now();
  await press('Home', '.row[aria-rowindex="2"]');
  return performance.now() - began;
}"""


def test_fault_117_ten_thousand_alerts_are_drawn_as_a_few_rows(empty: StandIn, opened: Open) -> None:
    for number in range(10_000):
        empty.world.alert(f"Alert {number}", ("high", "medium", "low")[number % 3], ago=number)
    empty.world.changes.clear()
    empty.world.last_id, empty.world.oldest_id = 0, 1
    began = time.monotonic()
    page = opened(empty)
    page.locator(".tabs .count", has_text="10000").wait_for()
    took = time.monotonic() - began
    assert page.locator(".row").count() < 60
    page.locator(".grid-scroll").focus()
    page.keyboard.press("End")
    page.locator(".row[aria-selected=true]", has_text="Alert 2").wait_for()
    slow = min(page.evaluate(FROM_KEY_TO_ROW) for _ in range(5))
    assert slow < 500, f"from the key to the row took {slow:.0f} ms"
    assert took < 15 * SHARED, f"10,000 alerts took {took:.1f} s to show"


def test_an_empty_queue_says_since_when_it_has_been_quiet(empty: StandIn, opened: Open) -> None:
    empty.world.alert("Gone", state="closed", active=False, closed_at=empty.world.time(600), version=3)
    page = opened(empty)
    page.locator(".quiet", has_text="All quiet").get_by_text(re.compile(r"^since \d\d:\d\d$")).wait_for()


def test_search_and_chips_narrow_the_queue(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    page.keyboard.press("/")
    page.keyboard.type("building 3")
    until(page, "document.querySelectorAll('.grid-alerts .row').length === 2")
    page.locator(".search input").fill("")
    page.locator(".chip", has_text="High").click()
    until(page, "document.querySelectorAll('.grid-alerts .row').length === 2")
    assert rows(page) == ["Door 2-1 was forced open", "Barrier 2 does not come down"]


def test_only_minor_alerts_that_are_shown_are_acknowledged_together(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    page.get_by_role("button", name="Acknowledge 3 minor").click()
    page.locator("dialog[open]").wait_for()
    late = standin.world.alert("Came after the question", "low")
    page.locator("dialog[open] .primary").click()
    page.get_by_text("3 alerts acknowledged").wait_for()
    open_ = {
        each["title"]["en"] for each in standin.world.tables["alerts"].values() if each["state"] == "unacknowledged"
    }
    assert late["title"]["en"] in open_
    assert {"People trapped in Lift 5", "Barrier 2 does not come down"} <= open_
    assert not {"Door 5-4 is held open", "Door 3-2 has been silent for 10 min"} & open_


def test_a_flood_is_told_from_eleven_on_and_is_over_below_five(empty: StandIn, opened: Open) -> None:
    page = opened(empty)
    for number in range(10):
        empty.world.alert(f"Alert {number}", "low", ago=585)
    page.locator(".tabs .count", has_text="10").wait_for()
    assert page.locator(".strip.flood").count() == 0
    empty.world.alert("One more", "low")
    page.locator(".strip.flood", has_text="11 in 10 min").wait_for()
    page.locator(".strip.flood").wait_for(state="detached")


def test_a_cause_counts_its_symptoms_and_unfolds_them_and_those_that_were_alerts_are_not_counted(
    standin: StandIn, opened: Open
) -> None:
    world = standin.world
    symptoms = [
        {"id": f"ch-{number:03}", "rule": "lost", "scope": f"d{number}", "severity": "low", "device": None,
         "title": {"en": f"Sensor {number}: offline", "zh": f"传感器 {number}：离线"}, "came_at": world.time(),
         "count": 1, "folded": None}
        for number in range(500)
    ]  # fmt: skip
    cause = world.alert("Building 3: power out", "high", children=500, symptoms=symptoms[:10])
    world.lists[f"children/{cause['id']}"] = symptoms
    folded = world.alert("Sensor 499: offline", "critical", parent=cause["id"])
    page = opened(standin, f"#/alerts/{cause['id']}")
    row = page.locator(".row", has_text="Building 3: power out")
    assert row.locator(".fold").text_content() == "+500"
    assert page.locator(".row", has_text="Sensor 499").count() == 0
    assert not any(path.endswith("/children") for _, path in standin.requests)
    page.locator(".symptoms button", has_text="Unfold").click()
    page.locator(".symptoms li", has_text="Sensor 99: offline").wait_for()
    page.locator(".symptoms button", has_text="400 more").click()
    page.locator(".symptoms li", has_text="Sensor 399: offline").wait_for()
    page.locator(".symptoms button", has_text="Fold").first.click()
    page.locator(".symptoms li").first.wait_for(state="detached")
    page.evaluate("id => { location.hash = `#/alerts/${id}` }", folded["id"])
    page.locator(".folded-under a", has_text="Building 3: power out").wait_for()


def test_the_first_of_its_zone_and_what_has_stood_for_a_day_are_marked(empty: StandIn, opened: Open) -> None:
    first = empty.world.alert("Pump room is wet", stale=True)
    empty.world.put("alerts", {**first, "first_out": first["id"], "outage": "oo-1", "version": 2})
    empty.world.alert("Pump stopped", first_out=first["id"])
    page = opened(empty)
    row = page.locator(".row", has_text="Pump room is wet")
    assert row.locator(".alert-mark").all_text_contents() == ["1st", "Works", "Stale"]
    page.locator(".row", has_text="Pump stopped").click()
    page.locator(".folded-under a", has_text="Pump room is wet").click()
    page.locator(".sheet h2", has_text="Pump room is wet").wait_for()
    assert page.locator(".sheet .alert-mark").count() == 3


def test_an_alert_is_given_to_somebody_and_who_comes_second_reads_who_has_it(empty: StandIn, opened: Open) -> None:
    alert = empty.world.alert("Pump room is wet")
    empty.world.lists["people"] = [{"id": "anna", "name": "Anna", "sites": [], "active": True}]
    page = opened(empty, f"#/alerts/{alert['id']}")
    page.locator(".detail button", has_text="Assign").click()
    page.locator("dialog[open] select").select_option("anna")
    empty.world.put("alerts", {**alert, "owner": "user:ben", "owner_at": empty.world.time(), "version": 2})
    page.locator(".row .who", has_text="ben").wait_for()
    page.locator("dialog[open] button.primary").click()
    page.get_by_text("was taken by user:ben").wait_for()
    page.locator("dialog[open] button", has_text="Cancel").click()
    page.locator(".detail button", has_text="Assign").click()
    page.locator("dialog[open] select").select_option("anna")
    page.locator("dialog[open] button.primary").click()
    page.locator(".row .who", has_text="anna").wait_for()
