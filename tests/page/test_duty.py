"""The desk on the page: its hand-over, the messages, whose an alert is and who was told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.page import duty
from tests.page.screens import settled
from tests.page.standin import StandIn

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
Open = Callable[..., "Page"]


def test_a_critical_alert_keeps_the_hand_over_from_being_signed(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    settled(page, "duty")
    page.locator(".handover details").first.wait_for()
    assert page.locator(".handover details").count() == 6
    assert "AL-0001" in page.locator(".handover .late").inner_text()
    assert page.get_by_role("button", name="Sign the hand-over").is_disabled()
    assert "radio 3 is broken" in page.locator("main").inner_text()


def test_the_log_of_messages_says_what_did_not_arrive(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    settled(page, "duty")
    page.locator("tbody tr").nth(1).wait_for()
    rows = [row.inner_text() for row in page.locator("tbody tr").all()]
    assert "on its way" in rows[0] and "503" in rows[0] and "sent" in rows[1]
    assert page.locator(".channels .tag.warn").inner_text() == "sms"


def test_the_detail_tells_who_was_told_and_whom_nothing_reached(standin: StandIn, opened: Open) -> None:
    alert = standin.world.tables["alerts"]["AL-0001"]
    call = {"level": 1, "told_at": standin.world.time(100), "people": ["anna", "max"], "by": ["sms", "mail"],
            "note": "off_duty", "missed": ["max"], "ids": []}  # fmt: skip
    alert["escalation"] = {**duty.ESCALATION, "next_at": standin.world.time(-80), "told": [call]}
    page = opened(standin)
    settled(page, "alerts/AL-0001")
    section = page.locator("section", has_text="Who was told")
    section.wait_for()
    told = section.inner_text()
    assert "anna, max" in told and "sms → mail" in told and "not reached: max" in told and "Next call" in told
    assert page.get_by_role("button", name="Take", exact=True).is_visible()
