"""`gatehouse pass …`: passes from the command line."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.common import Group, Place, json_option, print_json, with_place
from gateway.errors import Invalid


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(pass_)


@click.group(cls=Group, name="pass")
def pass_() -> None:
    """Import passes, and ask why somebody is refused."""


@pass_.command(name="import")
@with_place
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", required=True, help="The site they are of.")
def import_passes(place: Place, file: Path, site: str) -> None:
    """Add or change the passes in the CSV FILE: all of them, or none and the line that is wrong.

    \b
    Example:
      gatehouse pass import residents.csv --site s1
    """
    from gateway.app.acting import acting
    from gateway.services.pass_csv import rows_of

    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("file", f"{file}: expected text in UTF-8 ({error.reason})") from error
    rows = rows_of(text)
    with acting(place.home, place.settings) as act:
        told = act("pass.import", site=site, rows=rows)
    click.echo(f"{told['imported']} passes, {told['changed']} of them changed")


@pass_.command()
@with_place
@click.argument("device")
@click.argument("value")
@click.option("--kind", type=click.Choice(["plate", "card", "person"]), default="plate", show_default=True)
@click.option("--direction", type=click.Choice(["in", "out"]), default="in", show_default=True)
@json_option
def check(place: Place, device: str, value: str, kind: str, direction: str, as_json: bool) -> None:
    """Say whether VALUE would be let through DEVICE now, and why not. Exit code 1 if not.

    \b
    Example:
      gatehouse pass check gate-1 沪A12345
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        told = act("pass.check", device=device, kind=kind, value=value, direction=direction)
    if as_json:
        print_json(told)
    else:
        click.echo(f"{told['reason']}: {told['text']['en']}")
    raise SystemExit(0 if told["allowed"] else 1)
