"""The screen of the passes on a real gateway: forms, a visitor's QR code, an import, why refused, lists at devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.real import SITE, RealPage, sign_in
from tests.page.screens import bring_axe, findings, settled

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[RealPage]:
    """One gateway for this file, with a camera that holds a list."""
    with RealPage(tmp_path_factory.mktemp("passes") / "home") as running:
        running.signed_in, _ = sign_in(running, chromium)
        camera = {"type": "barrier", "adapter": "vzenith", "settings": {"holds_list": "plate"}}
        running.post("/devices", {"id": "gate-1", "site": SITE, "name": {"en": "Gate"}, **camera}, 201)
        yield running


@pytest.fixture
def room(real: RealPage, opened: Open) -> Open:
    """Opens the screen of that gateway, signed in."""

    def enter(**more: Any) -> Page:
        page = opened(real, storage_state=real.signed_in, **more)
        settled(page, "passes")
        return page

    return enter


def row(page: Page, text: str) -> Any:
    return page.locator("table.passes tr", has_text=text)


def test_a_vehicle_is_added_changed_blocked_and_removed(real: RealPage, room: Open) -> None:
    page = room()
    page.get_by_role("button", name="Add pass").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Value").fill("沪A12345")
    dialog.get_by_label("Name").fill("Li Lei")
    dialog.get_by_label("Household").fill("3-501")
    dialog.get_by_label("Spaces").fill("1")
    dialog.get_by_role("button", name="Add", exact=True).click()
    row(page, "沪A****5").get_by_role("button", name="Edit").click()
    assert dialog.get_by_label("Value").input_value() == "沪A12345", "who edits sees it, and the audit says so"
    assert dialog.get_by_label("Household").input_value() == "3-501"
    dialog.get_by_label("Note").fill("grey car")
    dialog.get_by_label("Block").check()
    dialog.get_by_role("button", name="Save").click()
    row(page, "grey car").get_by_text("Blocked").wait_for()
    page.get_by_role("button", name="Why refused?").click()
    dialog.locator("[name=device]").select_option("gate-1")
    dialog.get_by_label("Value").fill("沪A12345")
    dialog.get_by_role("button", name="Ask").click()
    dialog.locator(".answer", has_text="on the list of those refused").wait_for()
    page.keyboard.press("Escape")
    (known,) = [one for one in real.get("/passes", reveal="test")["items"] if one["value"] == "沪A12345"]
    assert (known["spaces"], known["household"], known["note"], known["blocked"]) == (1, "3-501", "grey car", True)
    row(page, "grey car").get_by_role("button", name="Remove").click()
    dialog.get_by_role("button", name="Remove").click()
    row(page, "grey car").wait_for(state="detached")


def test_a_visitor_gets_a_code_as_a_picture_and_a_new_one(real: RealPage, room: Open) -> None:
    page = room()
    page.get_by_role("button", name="Add visitor").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Name").fill("Mr Wu")
    dialog.get_by_label("Visits").fill("Li Lei")
    assert dialog.get_by_label("Entries in all").input_value() == "1"
    dialog.get_by_role("button", name="Add", exact=True).click()
    picture = dialog.get_by_alt_text("The visitor's QR code")
    picture.wait_for()
    loaded = "() => { const i = document.querySelector('img.code'); return i && i.complete && i.naturalWidth > 100; }"
    page.wait_for_function(loaded)
    first = picture.get_attribute("src")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Picture (PNG)").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    dialog.get_by_role("button", name="New code").click()
    page.get_by_text("codes given out so far are void").wait_for()
    page.wait_for_function("first => document.querySelector('img.code')?.getAttribute('src') !== first", arg=first)
    page.wait_for_function(loaded)
    page.keyboard.press("Escape")
    row(page, "0 of 1 entries").get_by_text("QR code").first.wait_for()


def test_every_wrong_line_of_an_import_is_shown_and_a_good_file_is_taken(real: RealPage, room: Open) -> None:
    page = room()
    page.get_by_role("button", name="Import").click()
    dialog = page.locator("dialog[open]")
    bad = "kind,value,spaces\nplate,A1,two\ncar,A2,\nplate,A3,1\n"
    file = dialog.locator("input[type=file]")
    file.set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": bad.encode()})
    dialog.get_by_role("button", name="Import", exact=True).click()
    dialog.locator(".wrong-lines li", has_text="line 2").wait_for()
    assert real.get("/passes", value="A3")["items"] == []
    good = "kind,value\nplate,粤B88888\n"
    file.set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": good.encode()})
    dialog.get_by_role("button", name="Import", exact=True).click()
    row(page, "粤B****8").wait_for()


def test_lists_at_devices_are_shown_and_sent_again(real: RealPage, room: Open) -> None:
    page = room()
    item = page.locator(".lists li", has_text="Gate")
    item.wait_for()
    item.get_by_role("button", name="Send again").click()
    page.locator("dialog[open]").get_by_role("button", name="It was reset").click()
    page.get_by_text("The list is sent again.").wait_for()


@pytest.mark.parametrize(("language", "theme"), [("en", "dark"), ("zh-CN", "light")])
def test_axe_finds_nothing_in_the_forms(real: RealPage, room: Open, language: str, theme: str) -> None:
    page = room(language=language, theme=theme, bypass_csp=True, reduced_motion="reduce")
    bring_axe(page)
    found = {"screen": findings(page)}
    buttons = page.locator(".panel-head.wraps button")
    for index in range(buttons.count()):
        buttons.nth(index).click()
        page.locator("dialog[open]").wait_for()
        found[str(index)] = findings(page)
        page.keyboard.press("Escape")
        page.locator("dialog[open]").wait_for(state="detached")
    assert {where: what for where, what in found.items() if what} == {}
