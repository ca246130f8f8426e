"""The two reports on the page: what is promised and kept, the load of alerts, and the records behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.services.figures.promises import PROMISES
from tests.page.screens import settled
from tests.page.standin import StandIn

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
Open = Callable[..., "Page"]


def test_every_promise_has_its_target_its_value_its_trend_and_its_records(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    settled(page, "reports")
    page.locator("tbody tr").first.wait_for()
    assert page.locator("tbody tr").count() == len(PROMISES)
    response = page.locator("tbody tr", has_text="Calls responded to in time")
    told = response.inner_text()
    assert "≥ 100 %" in told and "97.5 %" in told and "not kept" in told and "−1.25 worse" in told
    warnings = page.locator("tbody tr", has_text="Fire warnings").inner_text()
    fires = page.locator("tbody tr", has_text="Fires").first.inner_text()
    assert "< 0.01" in fires and "±0" in fires and "worse" not in fires, (
        "what is too small to show is neither 0 nor worse"
    )
    assert "≤ 1 ‰" in warnings and "2.5 ‰" in warnings
    assert "nothing to measure" in page.locator("tbody tr", has_text="Complaints handled").inner_text()


def test_a_record_leads_to_where_it_is_shown(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    settled(page, "reports")
    row = page.locator("tbody tr", has_text="Calls responded to in time")
    row.locator("summary").click()
    row.get_by_role("link", name="WO-0003").click()
    page.locator(".sheet h2").wait_for()
    assert page.evaluate("location.hash") == "#/orders/WO-0003"


def test_the_load_stands_beside_its_targets_and_every_choice_is_in_the_sheet_too(
    standin: StandIn, opened: Open
) -> None:
    page = opened(standin)
    settled(page, "reports")
    page.get_by_role("button", name="Load of alerts").click()
    month = page.get_by_label("Month").locator("option").nth(5).inner_text()
    page.get_by_label("Month").select_option(month)
    page.get_by_label("System").select_option("power")
    zone = page.get_by_label("Zone").locator("option").nth(1).get_attribute("value")
    page.get_by_label("Zone").select_option(zone)
    page.locator("tbody tr", has_text="Most in any 10 min").wait_for()
    told = page.locator("main").inner_text()
    assert "812" in told and "power.outage" in told
    for name, format in (("CSV", "csv"), ("Print", "html")):
        address = urlsplit(page.get_by_role("link", name=name).get_attribute("href") or "")
        assert address.path.endswith("/reports/alerts")
        asked = {key: values[0] for key, values in parse_qs(address.query).items()}
        assert asked.pop("language", "en") == "en"
        assert asked == {"month": month, "system": "power", "zone": zone, "format": format}
