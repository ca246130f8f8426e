"""The screen of the rules: mistakes at their lines, versions with what changed, and a second person's confirmation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.page.screens import settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.standin import StandIn

pytestmark = pytest.mark.browser
Open = Callable[..., "Page"]


def test_a_mistake_is_shown_at_its_line_and_a_good_pack_is_put_in_force(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    settled(page, "rules/site")
    area = page.locator("textarea.code")
    area.wait_for()
    save = page.get_by_role("button", name="Put in force")
    assert save.is_disabled()
    area.fill("- disable: [access.tamper]\n- change: meter.overvoltage\n  fro: 5m\n")
    page.get_by_label("Why").fill("a try")
    save.click()
    page.locator(".mistakes", has_text="did you mean 'for'?").wait_for()
    page.get_by_role("button", name="line 3, 3").click()
    assert area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == "fro"
    area.fill("- disable: [access.tamper]\n- change: meter.overvoltage\n  for: 9m\n")
    save.click()
    page.locator(".sheet-head", has_text="version 3").wait_for()
    assert page.locator(".mistakes").count() == 0
    assert standin.world.packs["site"][-1]["text"].endswith("for: 9m\n")


def test_a_version_is_compared_and_restored(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    settled(page, "rules/site")
    page.locator(".story li", has_text="version 1").get_by_role("button", name="Compare").click()
    dialog = page.locator("dialog[open]")
    assert [line.strip() for line in dialog.locator(".diff-in").all_text_contents()] == [
        "+ - change: meter.overvoltage", "+   for: 5m",
    ]  # fmt: skip
    dialog.get_by_label("Why").fill("too many alerts")
    dialog.get_by_role("button", name="Restore version 1").click()
    page.locator(".sheet-head", has_text="version 3").wait_for()
    assert page.locator("textarea.code").input_value() == "- disable: [access.tamper]\n"


def test_a_change_that_waits_names_the_alerts_and_is_confirmed(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    settled(page, "rules/lifts")
    waiting = page.locator(".advice", has_text="Waits for a second person")
    assert "elevator.entrapment" in (waiting.locator("li").text_content() or "")
    waiting.get_by_role("button", name="Confirm").click()
    page.locator(".sheet-head", has_text="version 2").wait_for()
    assert standin.world.packs["lifts"][-1]["state"] == "accepted"


def test_an_operator_reads_and_cannot_change(standin: StandIn, opened: Open) -> None:
    standin.world.role = "operator"
    page = opened(standin)
    settled(page, "rules/site")
    page.locator("textarea.code[readonly]").wait_for()
    assert page.get_by_role("button", name="Put in force").count() == 0


def test_backtests_stand_beside_the_packs_while_none_is_chosen(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    settled(page, "rules")
    page.locator(".backtest-form").wait_for()
    page.locator(".card", has_text="lifts").click()
    page.locator(".sheet-head", has_text="lifts").wait_for()
    assert page.locator(".backtest-form").count() == 0
    page.get_by_role("button", name="Backtest").click()
    page.locator(".backtest-form").wait_for()
    assert page.locator(".sheet-head").count() == 0
    assert page.locator(".card", has_text="lifts").count() == 1


def test_an_operator_sees_the_packs_and_is_told_that_backtests_are_for_engineers(
    standin: StandIn, opened: Open
) -> None:
    standin.world.role = "operator"
    page = opened(standin)
    settled(page, "rules")
    page.locator(".empty", has_text="Backtests are for engineers").wait_for()
    page.locator(".card", has_text="lifts").wait_for()
    assert page.get_by_role("button", name="Backtest").count() == 0
    assert ("GET", "/api/v1/rules/backtest") not in standin.requests


def test_health_names_the_pack_that_waits_until_it_is_confirmed(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    settled(page, "health")
    page.locator(".check-line.bad", has_text="Waits for a second person").get_by_text("lifts").wait_for()
    settled(page, "rules/lifts")
    page.get_by_role("button", name="Confirm").click()
    page.locator(".sheet-head", has_text="version 2").wait_for()
    settled(page, "health")
    page.locator(".check-line:not(.bad)", has_text="172 rules").wait_for()
