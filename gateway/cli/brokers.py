"""`gatehouse broker probe`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from gateway.cli.common import Command, Place, json_option, print_json, with_place
from gateway.errors import UsageError

if TYPE_CHECKING:
    from gateway.inbox.probe_device import ProbeDevice


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the command."""
    broker.add_command(probe_command)


@click.command(name="probe", cls=Command)
@with_place
@click.argument("url", required=False)
@click.option("--username", help="The core's user name at the broker.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its password.")
@click.option("--device", "devices", multiple=True, metavar="USER=FILE", help="A throw-away device; give two.")
@json_option
def probe_command(
    place: Place,
    *,
    url: str | None,
    username: str | None,
    password_file: Path | None,
    devices: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check a broker for what the guarantees need. Without a URL: the gateway's own.

    What devices can do to each other is asked with two throw-away devices, which may publish to
    gatehouse/v1/_probe/USER/out and read gatehouse/v1/_probe/USER/in; the embedded broker has them. Exit code 1 when
    something falls short.

    \b
    Example:
      gatehouse broker probe mqtt://broker.example:1883 --username core --password-file secret
    """
    from gateway.app.core import mqtt_settings
    from gateway.app.credentials import probe_devices
    from gateway.inbox.probe import probe

    settings = mqtt_settings(place.home, place.settings)
    if url:
        if not username or not password_file:
            raise UsageError("a broker is probed as the core's user: give --username and --password-file")
        password = password_file.read_text().strip()
        settings = msgspec.structs.replace(settings, url=url, username=username, password=password)
    asked = [_device(text) for text in devices]
    if not asked and not url and not place.settings.mqtt.url:
        asked = probe_devices(place.home)
    results = probe(settings, asked)
    if as_json:
        print_json(results)
    else:
        for result in results:
            mark = "FAIL" if not result.ok else "note" if result.advice else "ok  "
            click.echo(f"{mark} {result.name}: {result.detail}")
            if result.advice:
                click.echo(f"     {result.advice}")
    sys.exit(0 if all(result.ok for result in results) else 1)


def _device(text: str) -> ProbeDevice:
    from gateway.inbox.probe_device import probe_device

    user, _, file = text.partition("=")
    path = Path(file)
    if not user or not file or not path.is_file():
        raise UsageError(f"--device {text}: give the device's user name and a file with its password, as USER=FILE")
    return probe_device(user, path.read_text().strip())
