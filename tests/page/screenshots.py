"""Takes the README's screenshots: `python -m tests.page.screenshots`, into docs/images."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from tests.page.conftest import CHROMIUM, FLAGS
from tests.page.standin import standing_in

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
SIZE = ViewportSize(width=1600, height=900)
LANGUAGES = {"en": "en", "zh-CN": "zh"}


def main() -> int:
    """Both languages, the entrapment open, at the size of the README's column."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for locale, name in LANGUAGES.items():
            with standing_in() as standin:
                context = browser.new_context(viewport=SIZE, locale=locale, reduced_motion="reduce")
                context.add_init_script(f"localStorage.setItem('gatehouse.locale', '\"{locale}\"')")
                page = context.new_page()
                page.goto(f"{standin.address}#/alerts/AL-0001")
                page.locator("dialog[open] .primary").click()
                page.locator(".link-state.live").wait_for()
                page.locator(".sheet .step").first.wait_for()
                page.mouse.move(0, 0)
                page.wait_for_timeout(500)
                target = IMAGES / f"control-room-{name}.png"
                page.screenshot(path=target)
                context.close()
                sys.stdout.write(f"{target.relative_to(IMAGES.parents[1])}: {target.stat().st_size // 1024} KB\n")
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
