"""`gatehouse simulate`: plays a scenario against a broker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from gateway.cli.common import Command, Place, with_place
from gateway.errors import UsageError


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the command."""
    root.add_command(simulate)


@click.command(cls=Command, context_settings={"ignore_unknown_options": True})
@with_place
@click.argument("scenario")
@click.option("--url", help="The broker [default: the gateway's own].")
@click.option(
    "--credentials", type=click.Path(path_type=Path), help="The devices' credentials, as 'device import' wrote them."
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def simulate(place: Place, scenario: str, url: str | None, credentials: Path | None, options: tuple[str, ...]) -> None:
    """Play SCENARIO (a shipped name or a YAML file): devices that speak the vendors' real formats.

    Further options go to the simulators: --seed N, --speed F, --duration S, --truth FILE, --ledger FILE, --chaos …

    \b
    Example:
      gatehouse simulate demo --home ./.demo --speed 60 --duration 120
    """
    mqtt = place.settings.mqtt
    secrets = credentials or place.home.secrets / "simulated-devices.json"
    if not secrets.exists():
        raise UsageError(
            f"{secrets} does not exist: register the scenario's devices first, with 'python -m simulators devices "
            f"{scenario} > devices.json' and 'gatehouse device import devices.json --credentials credentials.json'"
        )
    target = url or mqtt.url or f"mqtt://127.0.0.1:{mqtt.port}"
    words = [sys.executable, "-m", "simulators", scenario, "--url", target, "--credentials", str(secrets), *options]
    try:
        code = subprocess.run(words, check=False).returncode
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
