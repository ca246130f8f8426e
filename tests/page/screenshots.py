"""Takes the README's pictures anew, into docs/images: `make pictures`, or `python -m tests.page.screenshots`.

`test_pictures` takes the same ones with every run of the tests, into test-results, and checks them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.page.conftest import CHROMIUM, FLAGS
from tests.page.pictures import README, REPOSITORY, SHORT, played

IMAGES = REPOSITORY / "docs/images"


def main() -> int:
    """Two minutes."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        with played(Path(folder), browser) as scene:
            for picture in README:
                page = scene.open(picture)
                target = scene.take(page, IMAGES / f"control-room-{SHORT[picture.language]}.png")
                page.context.close()
                sys.stdout.write(f"{target.relative_to(REPOSITORY)}: {target.stat().st_size // 1024} KB\n")
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
