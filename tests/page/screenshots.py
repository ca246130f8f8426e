"""Takes the README's screenshots: `python -m tests.page.screenshots`, into docs/images. Two minutes.

They show the demo as everybody gets it, at the moment when the second of its incidents begins: the day is seeded, so
only the clock on them differs from one time to the next.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.page.conftest import CHROMIUM, FLAGS
from tests.page.real import sign_in
from tests.support.gateway import RealGateway

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
SIZE = ViewportSize(width=1600, height=900)
LANGUAGES = {"en": "en", "zh-CN": "zh"}
#: What stands open in the picture: somebody is trapped, help is on the way, and a door is forced.
FIRST, SECOND = "elevator.entrapment", "access.forced-door"
STEPS_DONE = 2


def main() -> int:
    """Both languages, the entrapment chosen, at the size of the README's column."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        RealGateway(Path(home), command="demo") as gateway,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        signed_in, _ = sign_in(gateway, browser)
        alert = _opened(gateway, FIRST)
        _work(browser, gateway, signed_in, alert["id"])
        _opened(gateway, SECOND)
        for locale, name in LANGUAGES.items():
            _take(browser, gateway, signed_in, alert["id"], locale, IMAGES / f"control-room-{name}.png")
        browser.close()
    return 0


def _opened(gateway: RealGateway, rule: str) -> dict[str, Any]:
    """The alert of that rule, once it is there."""

    def has(answer: Any) -> bool:
        return any(each["rule"] == rule for each in answer["items"])

    answer = gateway.wait_for("/alerts", has, within=240, limit=100)
    found: dict[str, Any] = next(each for each in answer["items"] if each["rule"] == rule)
    return found


def _open(browser: Browser, gateway: RealGateway, signed_in: Any, alert: str, locale: str) -> Page:
    context = browser.new_context(viewport=SIZE, locale=locale, reduced_motion="reduce", storage_state=signed_in)
    context.add_init_script(f"localStorage.setItem('gatehouse.locale', '\"{locale}\"')")
    page = context.new_page()
    page.goto(f"http://localhost:{gateway.api_port}/#/alerts/{alert}")
    page.locator("dialog[open] .primary").click()
    page.locator(".link-state.live").wait_for()
    page.locator(".sheet .step").first.wait_for()
    return page


def _work(browser: Browser, gateway: RealGateway, signed_in: Any, alert: str) -> None:
    """The operator does the first manual steps."""
    page = _open(browser, gateway, signed_in, alert, "en")
    for number in range(STEPS_DONE):
        page.locator(".step-actions .primary").first.click()
        page.locator(".step-done .line-icon", has_text="Control room").nth(number).wait_for()
    page.context.close()


def _take(browser: Browser, gateway: RealGateway, signed_in: Any, alert: str, locale: str, target: Path) -> None:
    page = _open(browser, gateway, signed_in, alert, locale)
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    page.screenshot(path=target)
    page.context.close()
    sys.stdout.write(f"{target.relative_to(IMAGES.parents[1])}: {target.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    raise SystemExit(main())
