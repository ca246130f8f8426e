"""What is aside: out of service has its tab and counter, a critical alert is shelved by two, stale is marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.standin import StandIn

pytestmark = pytest.mark.browser
Open = Callable[..., "Page"]


def test_out_of_service_has_its_tab_and_counter_and_is_not_taken_back_alert_by_alert(
    standin: StandIn, opened: Open
) -> None:
    world = standin.world
    shelving = {
        "by": "user:erika",
        "reason": "New rope",
        "from_at": world.time(60),
        "until_at": world.time(-3600),
        "kind": "out_of_service",
        "outage": "oo-1",
    }
    world.alert("Lift 7 is silent", "medium", 50, shelving=shelving)
    world.alert("Pump 2 runs dry", "low", 90_000, stale=True)
    page = opened(standin)
    page.locator(".grid-alerts .row", has_text="Pump 2").locator(".alert-mark", has_text="Stale").wait_for()
    page.locator(".counters .counter", has_text="Out of service").click()
    page.locator("[role=tab][aria-selected=true]", has_text="Out of service").wait_for()
    page.locator(".grid-alerts .row", has_text="Lift 7 is silent").click()
    page.locator(".detail", has_text="erika: New rope").wait_for()
    assert page.locator(".detail button", has_text="End shelving").count() == 0


def test_a_device_is_taken_out_of_service_and_put_back_on_its_page(standin: StandIn, opened: Open) -> None:
    page = opened(standin, "#/devices/barrier-2")
    page.locator(".outages button", has_text="Take out of service").click()
    page.locator("dialog[open] input:not([type=radio])").fill("New arm")
    page.locator("dialog[open] button.primary").click()
    page.locator(".outages li", has_text="New arm").locator(".tag", has_text="Now").wait_for()
    page.locator(".outages button", has_text="Back in service").click()
    page.locator(".outages li").wait_for(state="detached")


def test_shelving_a_critical_alert_says_that_a_second_person_must(standin: StandIn, opened: Open) -> None:
    alert = standin.world.alert("Gate forced", "critical", 50)
    page = opened(standin, f"#/alerts/{alert['id']}")
    page.locator(".detail button", has_text="Shelve").click()
    page.locator("dialog[open]", has_text="shelved by two").wait_for()


def test_what_lives_depend_on_offers_no_shelving_and_its_key_says_why(standin: StandIn, opened: Open) -> None:
    page = opened(standin, "#/alerts/AL-0001")
    page.locator(".detail h1, .detail h2", has_text="trapped").first.wait_for()
    assert page.locator(".detail button", has_text="Shelve").count() == 0
    page.keyboard.press("h")
    page.get_by_text("never shelved").first.wait_for()
    assert page.locator("dialog[open]").count() == 0
