"""`gatehouse broker probe`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from gateway.cli.common import Command, Place, json_option, print_json, with_place
from gateway.errors import UsageError


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the command."""
    broker.add_command(probe_command)


@click.command(name="probe", cls=Command)
@with_place
@click.argument("url", required=False)
@click.option("--username", help="The core's user name at the broker.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its password.")
@json_option
def probe_command(
    place: Place, url: str | None, username: str | None, password_file: Path | None, as_json: bool
) -> None:
    """Check a broker for what the guarantees need. Without a URL: the gateway's own.

    Exit code 1 when something falls short.

    \b
    Example:
      gatehouse broker probe mqtt://broker.example:1883 --username core --password-file secret
    """
    from gateway.app.core import mqtt_settings
    from gateway.inbox.probe import probe

    settings = mqtt_settings(place.home, place.settings)
    if url:
        if not username or not password_file:
            raise UsageError("a broker is probed as the core's user: give --username and --password-file")
        password = password_file.read_text().strip()
        settings = msgspec.structs.replace(settings, url=url, username=username, password=password)
    results = probe(settings)
    if as_json:
        print_json(results)
    else:
        for result in results:
            click.echo(f"{'ok  ' if result.ok else 'FAIL'} {result.name}: {result.detail}")
            if not result.ok and result.advice:
                click.echo(f"     {result.advice}")
    sys.exit(0 if all(result.ok for result in results) else 1)
