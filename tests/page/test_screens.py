"""Every screen: no violation of the policy, nothing that axe finds, in both languages and both themes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.page import compound
from tests.page.screens import bring_axe, findings, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.standin import StandIn

pytestmark = pytest.mark.browser
Open = Callable[..., "Page"]
SCREENS = (
    "alerts",
    "alerts/AL-0001",
    "devices",
    "devices/lift-05",
    "orders",
    "orders/WO-0003",
    "orders/WO-0013",
    "schedules",
    "duty",
    "plans",
    "passes",
    "commands",
    "rules",
    "rules/lifts",
    "reports",
    "health",
)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_any_screen(standin: StandIn, opened: Open, language: str, theme: str) -> None:
    page = opened(standin, language=language, theme=theme, take_over=False, bypass_csp=True, reduced_motion="reduce")
    page.locator("dialog[open]").wait_for()
    bring_axe(page)
    story = {"take over": findings(page)}
    page.locator("dialog[open] .primary").click()
    for where in SCREENS:
        settled(page, where)
        story[where] = findings(page)
    page.keyboard.press("?")
    page.locator("dialog[open] .key-list").first.wait_for()
    story["help"] = findings(page)
    assert {where: found for where, found in story.items() if found} == {}


def test_fault_093_no_policy_violation_while_clicking_through_everything(standin: StandIn, opened: Open) -> None:
    page = opened(standin)
    for where in SCREENS:
        settled(page, where)
    page.evaluate("location.hash = '#/orders'")
    page.locator(".chip", has_text="Board").click()
    page.locator(".column .card").first.click()
    page.evaluate("location.hash = '#/plans'")
    page.get_by_role("button", name="Start a plan").click()
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    page.locator(".step-actions .primary").first.click()
    page.locator(".step-done .step-title", has_text="Speak with").wait_for()
    page.evaluate("location.hash = '#/passes'")
    page.get_by_role("button", name="Add pass").click()
    page.locator("dialog[open] [name=value]").fill("沪A12348")
    page.locator("dialog[open] .primary").click()
    page.locator("td", has_text="沪A****8").first.wait_for()
    page.evaluate("location.hash = '#/health'")
    page.get_by_role("button", name="Retry").first.click()
    page.locator(".operator-button").click()
    for name in ("Light", "Auto", "Dark"):
        page.get_by_role("button", name=name, exact=True).click()
    assert page.evaluate("window.violations") == []
    assert page.evaluate("document.querySelectorAll('script').length") == 2


def test_a_command_needs_a_second_of_holding_and_shows_its_end(standin: StandIn, opened: Open) -> None:
    page = opened(standin, "#/devices/barrier-2")
    page.locator(".command", has_text="Raise").click()
    hold = page.locator(".hold")
    hold.click()
    page.wait_for_timeout(300)
    assert not standin.world.tables["commands"], "a click alone sent the command"
    hold.focus()
    page.keyboard.down("Enter")
    page.locator(".stages .reached", has_text="Observed").wait_for()
    page.keyboard.up("Enter")
    assert [command["name"] for command in standin.world.tables["commands"].values()] == ["raise"]


def test_fault_078_what_forbids_a_command_is_said_and_there_is_nothing_to_confirm(
    standin: StandIn, opened: Open
) -> None:
    page = opened(standin, "#/devices/barrier-2")
    page.locator(".command", has_text="Lower").click()
    page.locator("dialog[open] [role=alert]", has_text="a vehicle stands under the arm").wait_for()
    assert page.locator(".hold").count() == 0
    page.get_by_role("button", name="Choose again").wait_for()


def test_fault_081_a_second_person_confirms_on_the_page_of_commands_and_the_first_cannot(
    standin: StandIn, opened: Open
) -> None:
    page = opened(standin, "#/commands")
    world = standin.world
    other = world.put(
        "commands", compound.command(world, "door-1", "unlock") | {"needs_second": True, "by": "user:ben"}
    )
    world.put("commands", compound.command(world, "door-2", "lock") | {"needs_second": True})
    page.locator(".strip", has_text="waits for a second person").wait_for()
    page.locator(".second").nth(1).wait_for()
    assert page.locator(".second .hold").count() == 1, "who asked confirms nothing"
    page.locator(".second .hold").focus()
    page.keyboard.down("Enter")
    page.locator("tr", has_text="Unlock").locator(".tag", has_text="Sent").wait_for()
    page.keyboard.up("Enter")
    assert world.tables["commands"][other["id"]]["second_by"] == "user:anna"


def test_commands_are_locked_while_the_page_is_not_live(standin: StandIn, opened: Open) -> None:
    page = opened(standin, "#/devices/barrier-2")
    page.locator(".command", has_text="Raise").click()
    page.locator(".hold").wait_for()
    standin.kill()
    page.locator(".strip.stale").wait_for()
    assert page.locator(".hold").is_disabled()


def test_a_work_order_goes_through_its_life(standin: StandIn, opened: Open) -> None:
    page = opened(standin, "#/orders/WO-0003")
    for button, state in (("Start", "In progress"), ("Done", "Done"), ("Verify", "Verified"), ("Close", "Closed")):
        page.locator(".sheet .actions").get_by_role("button", name=button, exact=True).click()
        page.locator(".sheet-line .tag", has_text=state).first.wait_for()


def test_closed_orders_are_fetched_when_they_are_asked_for_step_by_step(standin: StandIn, opened: Open) -> None:
    world = standin.world
    for number in range(250):
        title = {"en": f"Old lamp {number}", "zh": f"旧灯 {number}"}
        order = compound.order(world, title, None, state="closed", opened=86_400 + number, closed_at=world.time(80_000))
        world.tables["work-orders"][order["id"]] = order
    page = opened(standin, "#/orders")
    old = page.locator(".row", has_text="Old lamp")
    page.locator(".row").first.wait_for()
    assert old.count() == 0, "closed orders are shown before anybody asked"
    held = (
        "import('/js/live/store.js').then(({orders}) => "
        "[...orders.items.values()].filter(order => order.state === 'closed').length)"
    )
    assert page.evaluate(held) == 0
    page.get_by_role("button", name="Closed too").click()
    old.first.wait_for()
    assert page.evaluate(held) == 200
    page.get_by_role("button", name="Older closed ones").click()
    page.get_by_role("button", name="Older closed ones").wait_for(state="detached")
    assert page.evaluate(held) == 250
    last = next(reversed(world.tables["work-orders"]))
    page.goto(page.url.split("#")[0] + f"#/orders/{last}")
    page.reload()
    page.locator(".sheet h2, .sheet h1", has_text="Old lamp 249").first.wait_for()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (3840, 2160)])
def test_nothing_runs_over_the_edge_at_any_usual_size(standin: StandIn, opened: Open, width: int, height: int) -> None:
    page = opened(standin, viewport={"width": width, "height": height})
    for where in SCREENS:
        settled(page, where)
        wide = page.evaluate("[document.documentElement.scrollWidth, document.querySelector('.topbar').scrollWidth]")
        assert max(wide) <= width, f"{where} is {wide} px wide on a screen of {width} px"
