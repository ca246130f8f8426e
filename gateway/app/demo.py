"""`gatehouse demo`: the gateway with a simulated community on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import msgspec

from gateway.app.acting import acting
from gateway.app.bulk import import_devices
from gateway.app.demo_duty import staff
from gateway.app.run import run_all, say
from gateway.app.supervisor import STOP_WITHIN, Supervisor
from gateway.config import Home, Settings
from gateway.errors import UsageError


def run_demo(home: Home, settings: Settings, options: Sequence[str], *, scenario: str, speed: float, seed: int) -> int:
    """Runs gateway and community until a signal. Raises `UsageError` for a scenario that cannot be played."""
    devices = _listing("devices", scenario)
    _furnish(home)

    def populate(supervisor: Supervisor) -> Callable[[], None]:
        credentials = home.secrets / "simulated-devices.json"
        added = import_devices(home, settings, devices, credentials)
        say(f"  Community     {len(devices)} devices ({added} new), a day in {24 * 60 / speed:.0f} minutes")
        _describe(home, settings, scenario, devices)
        process = _simulate(home, settings, scenario, speed, seed)
        say("  Incidents     the first within a minute; watch the alert queue")

        def end() -> None:
            process.terminate()
            try:
                process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()

        return end

    return run_all(home, settings, options, within=60.0, name="demo", beside=populate)


def _furnish(home: Home) -> None:
    """Schedules, teams and the residents' form, where the home has none of its own."""
    home.prepare()
    shipped = files("gateway.app")
    for name, path in (
        ("demo_schedules.yaml", home.schedules / "demo.yaml"),
        ("demo_teams.yaml", home.teams),
    ):
        if not path.exists():
            path.write_text((shipped / name).read_text("utf-8"), "utf-8")
    if not home.config.exists():
        home.config.write_text("requests:\n  sites: '*'\n", "utf-8")


def _listing(what: str, scenario: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "simulators", what, scenario], capture_output=True, text=True, check=False
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise UsageError(f"the scenario '{scenario[:200]}' cannot be played: {why}")
    return msgspec.json.decode(done.stdout, type=list[dict[str, Any]])


def _describe(home: Home, settings: Settings, scenario: str, devices: list[dict[str, Any]]) -> None:
    """The places and passes of the community, put where they are missing."""
    with acting(home, settings) as act:
        for site in sorted({str(item["site"]) for item in devices}):
            act("site.put", id=site, name={"en": "Osmanthus Court", "zh": "桂苑小区"})
        seen = set()
        for item in devices:
            for kind in ("building", "zone"):
                name = item.get(kind)
                if name and name not in seen:
                    seen.add(name)
                    parent = item.get("building") if kind == "zone" and item.get("building") != name else None
                    titles = (item.get("places") or {}).get(name) or {"en": str(name)}
                    act("zone.put", id=name, site=item["site"], kind=kind, name=titles, parent=parent)
        staff(act, str(devices[0]["site"]))
        for item in _listing("passes", scenario):
            known = {"id", "site", "kind", "value", "name", "zones", "blocked", "visitor", "note"}
            site = item.get("site") or devices[0]["site"]
            act(
                "pass.put",
                **{key: value for key, value in item.items() if key in known and value is not None} | {"site": site},
            )


def _simulate(home: Home, settings: Settings, scenario: str, speed: float, seed: int) -> subprocess.Popen[bytes]:
    url = settings.mqtt.url or f"mqtt://127.0.0.1:{settings.mqtt.port}"
    with open(home.logs / "simulators.log", "ab") as log:
        return subprocess.Popen(
            [
                sys.executable, "-m", "simulators", scenario, "--url", url,
                "--credentials", str(home.secrets / "simulated-devices.json"),
                "--speed", str(speed), "--seed", str(seed),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )  # fmt: skip
