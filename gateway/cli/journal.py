"""`gatehouse journal …`: take the journal elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

import click

from gateway.cli.common import Group, Place, json_option, print_json, with_place
from gateway.cli.moments import MOMENT
from gateway.cli.progress import cancellable, progress_line


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(journal)


@click.group(cls=Group)
def journal() -> None:
    """Take what came in elsewhere: for backtests on another machine, or for longer than the journal is kept."""


@journal.command()
@with_place
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--since", type=MOMENT, help="From when on: 30d (ago), or RFC 3339; the journal's beginning by default.")
@click.option("--until", type=MOMENT, help="To when; now by default.")
@json_option
def export(place: Place, file: Path, since: float | None, until: float | None, as_json: bool) -> None:
    """Write what the rules engine was told into FILE, for `gatehouse rules backtest --file`.

    Before the journal's beginning the stored events are taken. Plates and card numbers are in it as they were
    told: keep it as you keep the database.

    \b
    Example:
      gatehouse journal export --since 7d week.inputs
    """
    from gateway.app.definitions import load_definitions
    from gateway.app.retrospect.sources import clock, journal_source, reading
    from gateway.app.retrospect.sources import export as export_to

    settings = place.settings
    known = load_definitions(place.home)
    with cancellable("gatehouse journal export"), reading(place.home, settings) as database:
        source = journal_source(database, settings, known, since, until)
        line, span = progress_line(), max(source.until - source.since, 1.0)
        count = export_to(file, source, time.time(), lambda at: line((at - source.since) / span))
    if as_json:
        print_json({"file": str(file), "since": source.since, "until": source.until, "inputs": count})
        return
    for note, _ in source.notes:
        click.echo(note, err=True)
    click.echo(f"{count} inputs from {clock(source.since)} to {clock(source.until)} in {file}")
