"""The page on the gateway as a user runs it: real broker, real core, real API, the shipped rules, native devices."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.page.conftest import until
from tests.page.real import DOORS, SITE, RealPage, link_of, sign_in
from tests.page.screens import bring_axe, findings, settled
from tests.support.brokers import SHARED

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
Open = Callable[..., "Page"]
#: More than all rows of these tests are drawn on a screen this tall.
TALL = {"viewport": {"width": 1280, "height": 2400}}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[RealPage]:
    """One gateway for this file, signed in to by the link it printed."""
    with RealPage(tmp_path_factory.mktemp("page") / "home") as running:
        running.signed_in, landed = sign_in(running, chromium)
        assert landed.split("#")[0] == running.address, f"the link ended at {landed}"
        yield running


@pytest.fixture
def room(real: RealPage, opened: Open) -> Open:
    """Opens the page of that gateway, signed in."""
    return lambda where="", **more: opened(real, where, storage_state=real.signed_in, **more)


def find(page: Page, text: str) -> None:
    """Narrows the queue to the rows with the text and chooses the first."""
    page.locator(".search input").fill(text)
    page.locator(".grid-alerts .row", has_text=text).first.click()
    page.locator(".sheet h2", has_text=text).wait_for()


def lift_fault(lift: str, fault: int, key: str) -> str:
    """A fault as a lift's monitor tells it: 1 is an entrapment, 6 another one."""
    begin = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
    bean = {"keyId": key, "faultType": fault, "faultBeginTime": begin, "faultEndTime": ""}
    return json.dumps({"type": "LiftFault", "elevatorNo": lift, "currentFloor": "3", "ErrorListBean": [bean]})


def test_the_printed_link_works_once(real: RealPage, opened: Open) -> None:
    page = opened(real, link_of(real).removeprefix(real.address), take_over=False)
    page.get_by_text("was used already").wait_for()


def test_fault_118_an_entrapment_is_seen_and_heard_in_seconds_and_acknowledged_by_keyboard(
    real: RealPage, room: Open
) -> None:
    page = room()
    page.locator(".sound-state:not(.off)").wait_for()
    tones = page.evaluate("window.tones")
    began = time.monotonic()
    real.says("lift-1", "elevator.fault", fault="entrapment_between", code="8", active=True, floor=15, occupied=True)
    page.locator(".row.is-critical", has_text="Passenger trapped in Lift 1").wait_for()
    took = time.monotonic() - began
    until(page, f"window.tones > {tones}")
    page.locator(".sound-state.sounding").wait_for()
    assert page.locator(".strip.critical", has_text="Passenger trapped in Lift 1").is_visible()

    page.keyboard.press("j")
    page.locator(".sheet .step", has_text="Speak with the people in the car").wait_for()
    asked = json.loads(real.hub.wait_for(lambda message: message.topic.endswith("/lift-1/commands")).payload)
    assert (asked["command"], asked["args"]) == ("announce", {"message": "entrapment"})
    real.hub.publish(f"gatehouse/v1/{SITE}/lift-1/results", json.dumps({"id": asked["id"], "status": "done"}))
    page.locator(".sheet .step-done", has_text="Play the announcement").wait_for()

    page.keyboard.press("a")
    page.locator(".sheet .tag", has_text=re.compile("^Acknowledged$")).wait_for()
    page.locator(".strip.critical").wait_for(state="detached")
    [alert] = [each for each in real.open_alerts() if each["device"] == "lift-1"]
    assert (alert["state"], alert["acknowledged_by"]) == ("acknowledged", "user:admin")
    assert took < 3 * SHARED, f"from the message to the row took {took:.1f} s"


def test_a_lift_that_cannot_be_told_anything_leaves_no_failed_step(real: RealPage, room: Open) -> None:
    real.monitor.publish("/API/V1/Up/LiftFault", lift_fault("31010", 1, "k1"))
    page = room()
    find(page, "Passenger trapped in monitor")
    page.locator(".sheet .step-skipped", has_text="Cannot be told by the gateway: monitor").wait_for()
    assert page.locator(".sheet .step-failed").count() == 0
    page.keyboard.press("a")
    page.locator(".strip.critical").wait_for(state="detached")


def test_a_medium_alert_is_shelved_with_a_reason_and_commented(real: RealPage, room: Open) -> None:
    for _ in range(5):
        real.says("door-24", "access.denied", credential_kind="card", reason="unknown card")
    page = room()
    find(page, "denials in a short time")
    page.get_by_role("button", name="Comment").click()
    page.locator("dialog[open] textarea").fill("A resident with a new card")
    page.locator("dialog[open] .primary").click()
    page.locator(".sheet .story", has_text="A resident with a new card").wait_for()
    page.keyboard.press("h")
    page.locator("dialog[open] .choice", has_text="1 h").click()
    page.locator("dialog[open] .field input").fill("The card is being replaced")
    page.keyboard.press("Enter")
    page.locator(".counter.shelved b", has_text="1").wait_for()
    [alert] = [each for each in real.get("/alerts", limit=500)["items"] if each["device"] == "door-24"]
    assert (alert["shelving"]["reason"], alert["shelving"]["by"]) == ("The card is being replaced", "user:admin")
    assert [each["text"] for each in alert["comments"]] == ["A resident with a new card"]


def test_an_alert_shows_its_condition_is_saved_as_a_test_and_backtested(real: RealPage, room: Open) -> None:
    real.forced("door-22")
    long = 150_000
    page = room(bypass_csp=True, reduced_motion="reduce")
    find(page, "forced")
    page.get_by_role("button", name="Show the condition").click()
    page.locator(".clauses .clause.true .branch", has_text="forced").first.wait_for(timeout=long)
    page.get_by_role("button", name="Save as a test").click()
    page.locator("dialog[open] pre", has_text="want: raised").wait_for(timeout=long)
    page.keyboard.press("Escape")
    settled(page, "rules")
    page.get_by_role("button", name="A pack of my own").click()
    page.locator(".backtest-form textarea").fill("- {id: x, title: X, severity: nonsense, on: access.door}")
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator(".backtest pre", has_text="pack.yaml:1:").wait_for(timeout=long)
    pack = "- {id: every.door, title: {en: Door, zh: Door}, severity: low, on: access.door, when: state == 'open'}"
    page.locator(".backtest-form textarea").fill(pack)
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator(".backtest tr", has_text="every.door").wait_for(timeout=long)
    page.locator(".backtest summary", has_text="Did not come, and would have").wait_for()
    bring_axe(page)
    assert findings(page) == []


def test_a_stranger_is_adopted_and_its_first_message_tried_again(real: RealPage, room: Open) -> None:
    real.monitor.publish("/API/V1/Up/LiftFault", lift_fault("31099", 6, "k2"))
    real.monitor.publish("/API/V1/Up/LiftFault", '{"type": "LiftFault", "ErrorListBean": [')
    page = room("#/health")
    letters = page.locator("table", has_text="Retry")
    letters.locator("tr", has_text=re.compile("JSON", re.I)).wait_for()
    stranger = letters.locator("tr", has_text="Unknown device")
    stranger.wait_for()
    page.locator("tr", has_text="31099").get_by_role("button", name="Adopt").click()
    page.locator("dialog[open] [name=id]").fill("lift-99")
    page.locator("dialog[open] [name=name]").fill("Lift 99")
    page.locator("dialog[open] [name=type]").fill("elevator")
    page.locator("dialog[open] .primary").click()
    page.locator("dialog[open] .secret").wait_for()
    page.locator("dialog[open] .primary").click()
    page.locator("tr", has_text="31099").get_by_role("button", name="Adopt").wait_for(state="detached")
    stranger.get_by_role("button", name="Retry").click()
    stranger.wait_for(state="detached")
    device = real.wait_for("/devices/lift-99", lambda body: body["state"])
    assert device["state"]["elevator.fault"]["data"]["code"] == "6"


def test_fault_091_a_device_named_as_markup_is_text_on_every_screen(real: RealPage, room: Open) -> None:
    real.forced("nasty")
    page = room()
    find(page, "{{7*7}}")
    for where in ("devices/nasty", "orders", "plans", "health"):
        settled(page, where)
        if where in ("devices/nasty", "orders"):
            page.get_by_text("{{7*7}}").first.wait_for()
        assert page.evaluate("window.hacked") is None, f"markup ran on {where}"
        assert page.locator("#room img").count() == 0, f"markup was parsed on {where}"


@pytest.mark.parametrize(("language", "theme"), [("en", "dark"), ("zh-CN", "light")])
def test_axe_finds_nothing_on_any_screen_with_real_data(real: RealPage, room: Open, language: str, theme: str) -> None:
    page = room(language=language, theme=theme, bypass_csp=True, reduced_motion="reduce")
    bring_axe(page)
    page.locator(".grid-alerts .row").first.click()
    page.locator(".sheet h2").wait_for()
    story = {"alerts": findings(page)}
    for where in ("devices/lift-1", "orders", "plans", "passes", "health"):
        settled(page, where)
        story[where] = findings(page)
    assert {where: found for where, found in story.items() if found} == {}


def test_fault_113_a_process_that_stops_with_its_links_open_is_stale_within_ten_seconds(
    real: RealPage, room: Open
) -> None:
    page = room()
    real.kill("api", signal.SIGSTOP)
    try:
        began = time.monotonic()
        page.locator(".strip.stale").wait_for()
        took = time.monotonic() - began
        real.forced("door-23")
    finally:
        real.kill("api", signal.SIGCONT)
    page.locator(".strip.stale").wait_for(state="detached")
    page.locator(".search input").fill("Door 23")
    page.locator(".row", has_text="Door 23").wait_for()
    assert took <= 10 * SHARED, f"the page looked live for {took:.1f} s"


def test_fault_112_a_killed_api_is_told_and_resumed_without_loss_or_repetition(real: RealPage, room: Open) -> None:
    page = room(**TALL)
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if "/stream" in request.url else None)
    doors = iter(range(1, DOORS - 1))
    real.forced(f"door-{next(doors):02}")
    page.locator(".row .place-line", has_text=re.compile("Door 1$")).wait_for()
    # The supervisor is held, so that the API stays away for as long as the bar needs to show.
    real.kill("run", signal.SIGSTOP)
    try:
        old = real.kill("api")
        killed = time.monotonic()
        for _ in range(10):
            real.forced(f"door-{next(doors):02}")
        page.locator(".strip.stale").wait_for()
        told = time.monotonic() - killed
        for _ in range(6):
            real.forced(f"door-{next(doors):02}")
        real.forced("door-01", open_=False)
    finally:
        real.kill("run", signal.SIGCONT)
    real.wait_back("api", old)
    for door in doors:
        real.forced(f"door-{door:02}")
    page.locator(".strip.stale").wait_for(state="detached")

    expected = sorted(each["title"]["en"] for each in real.open_alerts())
    assert len(expected) >= DOORS - 2
    until(page, f"document.querySelectorAll('.grid-alerts .row').length === {len(expected)}")
    shown = sorted(page.locator(".grid-alerts .row .text").evaluate_all("all => all.map(text => text.title)"))
    assert shown == expected
    assert page.locator(".tabs [aria-selected=true] .count").text_content() == str(len(expected))
    assert streams
    assert all("last_event_id=" in url for url in streams), f"opened anew instead of resumed: {streams}"
    settled(page, "health")
    page.get_by_text(re.compile(r"resumed [1-9]\d*×, reloaded 0×")).wait_for()
    assert told <= 10 * SHARED, f"the page looked live for {told:.1f} s after the API had died"
