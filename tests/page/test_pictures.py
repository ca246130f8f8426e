"""The README's pictures, taken from the demo on the real gateway and looked at; they stay in test-results/pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.pictures import PICTURES, README, REPOSITORY, SHORT, Picture, Scene, played, size

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
RESULTS = REPOSITORY / "test-results/pictures"
#: Draws a PNG small, and says how bright it is (0 to 1) and how many colours it has.
LOOK = """async data => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + data;
  await image.decode();
  const canvas = new OffscreenCanvas(320, 180).getContext('2d');
  canvas.drawImage(image, 0, 0, 320, 180);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, 320, 180).data.buffer);
  let light = 0;
  for (const pixel of pixels) {
    light += (pixel & 255) * 0.2126 + (pixel >> 8 & 255) * 0.7152 + (pixel >> 16 & 255) * 0.0722;
  }
  return {light: light / pixels.length / 255, colours: new Set(pixels).size};
}"""


@pytest.fixture(scope="module")
def scene(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with played(tmp_path_factory.mktemp("demo"), chromium) as running:
        yield running


def look(browser: Browser, picture: Path) -> dict[str, Any]:
    """What is on the picture itself, whatever the page says."""
    page = browser.new_page()
    try:
        found: dict[str, Any] = page.evaluate(LOOK, base64.b64encode(picture.read_bytes()).decode())
    finally:
        page.close()
    return found


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name.removesuffix(".png"))
def test_the_picture_shows_the_trapped_passenger_and_the_forced_door(scene: Scene, picture: Picture) -> None:
    page = scene.open(picture)
    try:
        for alert in scene.alerts.values():
            row = scene.row(page, picture, alert)
            place = row.bounding_box()
            assert place is not None, f"{alert['rule']} has no row"
            assert place["y"] >= 0 and place["y"] + place["height"] <= picture.height, (
                f"{alert['rule']} is out of sight"
            )
            hidden = row.locator(".text").evaluate("text => text.scrollWidth - text.clientWidth")
            assert hidden <= 0, f"the title of {alert['rule']} is cut off by {hidden} px"
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"the page is {over} px wider than its screen"
        taken = scene.take(page, RESULTS / picture.name)
    finally:
        page.context.close()
    assert size(taken) == (picture.width, picture.height)
    seen = look(scene.browser, taken)
    assert seen["colours"] > 300, f"{taken.name} is all but empty: {seen}"
    assert seen["light"] < 0.3 if picture.theme == "dark" else seen["light"] > 0.7, f"{taken.name}: {seen}"


def test_each_readme_shows_the_picture_of_its_language() -> None:
    for picture, readme in zip(README, ("README.md", "README.zh-CN.md"), strict=True):
        shown = f"docs/images/control-room-{SHORT[picture.language]}.png"
        assert f"]({shown})" in (REPOSITORY / readme).read_text(encoding="utf-8"), f"{readme} does not show {shown}"
        assert size(REPOSITORY / shown) == (picture.width, picture.height)
