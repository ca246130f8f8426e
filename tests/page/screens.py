"""Going through the page's screens, and looking at them with axe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.page.conftest import left_out, until
from tests.page.standin import STATIC

if TYPE_CHECKING:
    from playwright.sync_api import Page

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
AXE = STATIC.parent / "node_modules/axe-core/axe.min.js"
#: What a device may be called to run a script, to fill in a template, or to turn the text around.
NASTY = "<img src=x onerror=window.hacked=1>{{7*7}}\u202egnp.exe"


def settled(page: Page, where: str) -> None:
    """Goes to a screen and waits until it stands."""
    page.evaluate("where => { location.hash = '#/' + where }", where)
    page.locator(".rail [aria-current=page]").wait_for()
    until(page, "![...document.querySelectorAll('.empty')].some(element => element.textContent.includes('…'))")
    page.wait_for_timeout(300)


def bring_axe(page: Page) -> None:
    """Puts axe into the page, whose context must bypass the content security policy."""
    if not AXE.exists():
        left_out("axe-core is missing: python -m dashboards.setup_page --dev")
    page.evaluate(AXE.read_text())


def findings(page: Page) -> list[str]:
    """What axe finds on the page as it stands."""
    found: list[dict[str, Any]] = page.evaluate(
        "async rules => (await axe.run(document, {runOnly: rules})).violations", list(RULES)
    )
    return [
        f"{each['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for each in found
        for node in each["nodes"][:3]
    ]
