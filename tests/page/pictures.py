"""Pictures of the control room as everybody gets it: the demo's community on the real gateway.

Somebody is trapped in a lift and help is on the way; then a door is forced. The day is seeded, so only the clock on a
picture differs from one time to the next. The two incidents last longer than in the demo: a slow machine shall find
them as they are.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.page.real import sign_in
from tests.support.gateway import RealGateway

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO = REPOSITORY / "simulators/scenarios/demo.yaml"
FIRST, SECOND = "elevator.entrapment", "access.forced-door"
STEPS_DONE = 2
#: The demo's first incident begins after 25 s, its second after 75 s.
INCIDENTS_WITHIN = 240.0
SHORT = {"en": "en", "zh-CN": "zh"}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture: in which language and theme, and how large, in pixels."""

    language: str
    theme: str
    width: int
    height: int

    @property
    def name(self) -> str:
        return f"control-room-{SHORT[self.language]}-{self.theme}-{self.width}.png"


#: What README.md and README.zh-CN.md show.
README = tuple(Picture(language=language, theme="dark", width=1600, height=900) for language in SHORT)
#: Those, and everything between a small screen and a wall.
PICTURES = (
    *README,
    *(
        Picture(language=language, theme=theme, width=width, height=height)
        for width, height in ((1280, 720), (3840, 2160))
        for theme in ("dark", "light")
        for language in SHORT
    ),
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The gateway with both incidents open, and a browser's state that is signed in to it."""

    gateway: RealGateway
    browser: Browser
    signed_in: Any
    alerts: dict[str, dict[str, Any]]
    """The two alerts by their rule, as the API tells them."""

    def open(self, picture: Picture, *, alert: str = FIRST) -> Page:
        """The page at the size, in the language and the theme of the picture, with that alert chosen and live."""
        context = self.browser.new_context(
            viewport={"width": picture.width, "height": picture.height},
            locale=picture.language,
            reduced_motion="reduce",
            storage_state=self.signed_in,
        )
        context.set_default_timeout(60_000)
        for name, value in (("locale", picture.language), ("theme", picture.theme)):
            context.add_init_script(f"localStorage.setItem('gatehouse.{name}', '\"{value}\"')")
        page = context.new_page()
        page.goto(f"http://localhost:{self.gateway.api_port}/#/alerts/{self.alerts[alert]['id']}")
        page.locator("dialog[open] .primary").click()
        page.locator("dialog[open]").wait_for(state="detached")
        page.locator(".link-state.live").wait_for()
        page.locator(".sheet .step").first.wait_for()
        for each in self.alerts.values():
            self.row(page, picture, each).wait_for()
        return page

    def row(self, page: Page, picture: Picture, alert: dict[str, Any]) -> Locator:
        """The alert's row in the queue."""
        return page.locator(".row", has=page.get_by_title(alert["title"][SHORT[picture.language]], exact=True))

    def take(self, page: Page, target: Path) -> Path:
        """Writes what the page shows to `target`."""
        target.parent.mkdir(parents=True, exist_ok=True)
        page.mouse.move(0, 0)
        page.evaluate("() => document.fonts.ready.then(() => new Promise(requestAnimationFrame)).then(() => null)")
        page.screenshot(path=target)
        return target


@contextmanager
def played(home: Path, browser: Browser) -> Iterator[Scene]:
    """Plays the demo in that folder until both alerts are open and help for the first is on its way.

    Takes a minute and a half.
    """
    home.mkdir(parents=True, exist_ok=True)
    scenario = home / "pictures.yaml"
    scenario.write_text(_lasting(DEMO.read_text(encoding="utf-8")), encoding="utf-8")
    with RealGateway(home / "home", command="demo", arguments=("--scenario", str(scenario))) as gateway:
        signed_in, _ = sign_in(gateway, browser)
        first = _opened(gateway, FIRST)
        scene = Scene(gateway=gateway, browser=browser, signed_in=signed_in, alerts={FIRST: first})
        page = scene.open(README[0])
        for number in range(STEPS_DONE):
            page.locator(".step-actions .primary").first.click()
            page.locator(".step-done .line-icon", has_text="Control room").nth(number).wait_for()
        page.context.close()
        alerts = {FIRST: first, SECOND: _opened(gateway, SECOND)}
        yield Scene(gateway=gateway, browser=browser, signed_in=signed_in, alerts=alerts)


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG file, in pixels. Raises `ValueError` for a file that is none."""
    head = picture.read_bytes()[:24]
    if len(head) < 24 or head[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError(f"{picture} is not a PNG file")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _lasting(scenario: str) -> str:
    """The demo with its first two incidents lasting an hour."""
    text, found = re.subn(r"(id: (?:entrapment|forced-door),.*for: )\d+s", r"\g<1>3600s", scenario)
    assert found == 2, f"{DEMO.name} has other incidents now"
    return text


def _opened(gateway: RealGateway, rule: str) -> dict[str, Any]:
    """The alert of that rule, once it is there."""

    def has(answer: Any) -> bool:
        return any(each["rule"] == rule for each in answer["items"])

    answer = gateway.wait_for("/alerts", has, within=INCIDENTS_WITHIN, limit=100)
    found: dict[str, Any] = next(each for each in answer["items"] if each["rule"] == rule)
    return found
