"""`gatehouse adapter …`: try an adapter on a message, list the adapters, start a new one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place
from gateway.errors import NotFound


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(adapter)


@click.group(cls=Group)
def adapter() -> None:
    """List the adapters, try one on a message, begin a new one."""


@adapter.command(name="list")
@with_place
@json_option
def list_adapters(place: Place, as_json: bool) -> None:
    """List the adapters: shipped, installed, and the site's own mappings.

    \b
    Example:
      gatehouse adapter list
    """
    from adapters import load_adapters

    found = sorted(load_adapters(place.home.mappings).values(), key=lambda item: item.manifest.name)
    if as_json:
        print_json([item.manifest for item in found])
        return
    rows: list[tuple[Any, ...]] = [
        (item.manifest.name, item.manifest.title.get("en", ""), " ".join(item.manifest.topics)) for item in found
    ]
    print_table(rows, ("NAME", "TITLE", "TOPICS"))


@adapter.command(name="try")
@with_place
@click.argument("name")
@click.option("--topic", required=True, help="The topic the message came on.")
@click.option("--timezone", default="Asia/Shanghai", show_default=True, help="The zone of local times in it.")
@click.argument("payload", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def try_adapter(place: Place, name: str, topic: str, timezone: str, payload: Path) -> None:
    """Show what an adapter makes of the message in the file PAYLOAD, or why it refuses it.

    \b
    Example:
      gatehouse adapter try tasmota --topic tele/plug1/SENSOR message.json
    """
    from adapters import find_adapter, load_adapters
    from adapters.trial import try_message

    found = find_adapter(load_adapters(place.home.mappings), name)
    if found is None:
        raise NotFound("adapter", name)
    outcome = try_message(found, topic, payload.read_bytes(), timezone)
    print_json(outcome)
    sys.exit(1 if outcome["outcome"] == "undecodable" else 0)


@adapter.command(name="new")
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to put it; the current folder by default.",
)
def new_adapter(name: str, directory: Path) -> None:
    """Begin an adapter of your own: a small package with fixtures and tests that pass as they stand.

    \b
    Example:
      gatehouse adapter new my_meter --directory src
    """
    from adapters.scaffold import create

    for path in create(name, directory):
        click.echo(path)
