"""A real Chromium for the page's tests, one at a time, and a way to open the page on a stand-in."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.standin import STATIC, StandIn, standing_in
from tests.page.world import World
from tests.support.brokers import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
window.tones = 0;
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () { window.tones += 1; return make.call(this); };
"""


def pytest_configure(config: pytest.Config) -> None:
    """Knows the mark also where no central configuration does."""
    config.addinivalue_line("markers", "browser: drives a real Chromium")


def left_out(reason: str) -> None:
    """Skips; where nothing may be left out (CI=true), fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of the page."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not os.path.exists(CHROMIUM):
        left_out("no Chromium: apt-get install chromium")
    if not (STATIC / "vendor/preact.mjs").exists():
        left_out("the page's modules are missing: python -m dashboards.setup_page --dev")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """A stand-in with a furnished world."""
    with standing_in() as running:
        yield running


@pytest.fixture
def empty() -> Iterator[StandIn]:
    """A stand-in with nothing in its world."""
    with standing_in(World(furnished=False)) as running:
        yield running


def until(page: Page, expression: str, seconds: float = PATIENCE) -> None:
    """Waits until an expression is true on the page, whose policy forbids the eval of `wait_for_function`."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not within {seconds} s: {expression}"
        page.wait_for_timeout(50)


class Opened:
    """Pages opened by a test, with what went wrong on them."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.contexts: list[Any] = []
        self.errors: list[str] = []
        self.foreign: list[str] = []

    def __call__(
        self, standin: StandIn, where: str = "", language: str = "en", theme: str = "dark", take_over: bool = True,
        script: str = "", **context: Any,
    ) -> Page:  # fmt: skip
        """The page at `where` (`#/devices`), its shift taken over, live."""
        made = self.browser.new_context(**{"viewport": {"width": 1280, "height": 720}, "locale": language, **context})
        self.contexts.append(made)
        made.set_default_timeout(PATIENCE * 1000)
        made.add_init_script(WATCH + script)
        for name, value in (("locale", language), ("theme", theme)):
            made.add_init_script(f"localStorage.setItem('gatehouse.{name}', {json.dumps(json.dumps(value))})")
        page = made.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((standin.address, "data:")) else self.foreign.append(request.url)
            ),
        )
        page.goto(standin.address + where)
        if take_over:
            page.locator("dialog[open] .primary").click()
            page.locator("dialog[open]").wait_for(state="detached")
            page.locator(".link-state.live").wait_for()
        return page


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page; afterwards nothing may have been thrown on it and nothing asked of another host."""
    opener = Opened(chromium)
    yield opener
    violations = []
    for context in opener.contexts:
        for page in context.pages:
            if page.url.startswith("http"):
                violations += page.evaluate("window.violations ?? []")
        context.close()
    assert opener.errors == [], f"errors thrown on the page: {opener.errors}"
    assert opener.foreign == [], f"asked of other hosts: {opener.foreign}"
    assert violations == [], f"refused by the content security policy: {violations}"
