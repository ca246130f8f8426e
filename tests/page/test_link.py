"""The page cannot lie about being live, and it is heard."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.page.conftest import until
from tests.page.standin import standing_in
from tests.page.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.standin import StandIn

pytestmark = pytest.mark.browser
Open = Callable[..., "Page"]
MUTED = """
Object.defineProperty(AudioContext.prototype, "state", {get: () => "suspended"});
AudioContext.prototype.resume = async () => {};
"""


def test_fault_114_a_position_too_old_reloads_everything_and_says_so(empty: StandIn, opened: Open) -> None:
    world = empty.world
    world.alert("Before", "low")
    page = opened(empty)
    page.locator(".row", has_text="Before").wait_for()
    empty.kill()
    page.locator(".strip.stale").wait_for()
    world.tables["alerts"]["AL-0001"] = {
        **world.tables["alerts"]["AL-0001"],
        "state": "closed",
        "active": False,
        "version": 2,
    }
    world.alert("After", "low")
    for _ in range(5):
        world.tell("states", "", {"devices": {}})
    world.oldest_id = world.last_id
    empty.revive()
    page.locator(".notice", has_text="loaded again").wait_for()
    page.locator(".row", has_text="After").wait_for()
    until(page, "document.querySelector('.tabs [aria-selected=true] .count').textContent === '1'")


def test_fault_115_a_page_that_slept_wakes_up_with_everything_that_came_meanwhile(empty: StandIn, opened: Open) -> None:
    page = opened(empty)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    for number in range(5):
        empty.world.alert(f"While asleep {number}", "low")
    time.sleep(4)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    page.locator(".tabs [aria-selected=true] .count", has_text="5").wait_for()
    page.locator(".link-state.live").wait_for()
    assert page.locator(".row").count() == 5


def test_fault_116_ages_are_right_where_the_two_clocks_differ_by_ten_minutes(opened: Open) -> None:
    for offset in (600.0, -600.0):
        with standing_in(World(offset=offset, furnished=False)) as standin:
            standin.world.alert("Two minutes old", "low", ago=130)
            page = opened(standin)
            page.locator(".row", has_text="Two minutes old").wait_for()
            assert page.locator(".row .age").text_content() == "2 min"


def test_fault_119_where_no_sound_can_be_heard_a_red_strip_says_so_for_good(empty: StandIn, opened: Open) -> None:
    page = opened(empty, script=MUTED)
    strip = page.locator(".strip.silent", has_text="Sound is off")
    strip.wait_for()
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    page.wait_for_timeout(1500)
    assert strip.is_visible()


def test_fault_111_a_critical_alert_sounds_at_once_and_again_until_silenced(empty: StandIn, opened: Open) -> None:
    page = opened(empty)
    until(page, "window.tones === 4")
    empty.world.alert("Fire", "critical")
    until(page, "window.tones === 8")
    until(page, "window.tones === 12")
    page.keyboard.press("s")
    page.wait_for_timeout(10_600)
    assert page.evaluate("window.tones") == 12, "silenced, and heard again"
    assert page.locator(".strip.critical").is_visible(), "silencing is not acknowledging"
    empty.world.alert("Another fire", "critical")
    until(page, "window.tones === 16")


def test_a_spent_sign_in_link_says_so_and_a_password_opens_the_room(opened: Open) -> None:
    with standing_in(signed_in=False) as standin:
        page = opened(standin, "?link=expired", take_over=False)
        page.get_by_text("was used already").wait_for()
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("Name or password is wrong").wait_for()
        page.get_by_label("Password").fill("correct horse")
        page.get_by_role("button", name="Sign in").click()
        page.locator("dialog[open]", has_text="Take over the shift").wait_for()
        page.locator("dialog[open] .primary").click()
        page.locator(".link-state.live").wait_for()
