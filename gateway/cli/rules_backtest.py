"""`gatehouse rules backtest`: what packs would have said of a time that is over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gateway.cli.common import Command, Place, json_option, print_json, with_place
from gateway.cli.moments import MOMENT
from gateway.cli.progress import cancellable, end_with_parent, progress_line
from gateway.errors import UsageError

#: How much other processes come first.
NICE = 10


@click.command(cls=Command)
@with_place
@click.argument("packs", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--since", type=MOMENT, help="From when on: 30d (ago), or RFC 3339. All there is by default.")
@click.option("--until", type=MOMENT, help="To when; now by default.")
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Made by `journal export`.")
@click.option(
    "--against",
    metavar="live|none|PACK",
    help="Compare with the alerts that did fire (the default, but for --file), with nothing, or with another pack.",
)
@click.option("--positions", type=click.IntRange(1, 100), default=1, show_default=True, help="Operators on shift.")
@click.option("--suggest/--no-suggest", default=True, show_default=True, help="Try milder variants of loud rules.")
@click.option("--owned", is_flag=True, hidden=True, help="Behind the API: gentle, and ends with whoever started it.")
@json_option
def backtest(
    place: Place,
    packs: tuple[Path, ...],
    since: float | None,
    until: float | None,
    file: Path | None,
    against: str | None,
    positions: int,
    suggest: bool,
    owned: bool,
    as_json: bool,
) -> None:
    """Run packs (default: those in force) over what came in, and compare alert by alert with what did fire.

    Nothing is changed, and the running gateway is not slowed: this is a process of its own that only reads.

    \b
    Example:
      gatehouse rules backtest site-rules.yaml --since 30d
      gatehouse rules backtest new.yaml --against old.yaml --file week.inputs --json
    """
    from gateway.app.retrospect.backtests import Question, run_backtest

    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until: choose a span")
    against = against or ("live" if file is None else "none")
    if against not in ("live", "none") and not Path(against).exists():
        raise UsageError(f"--against: there is no pack '{against}'; give live, none or a pack's path")
    question = Question(
        packs=packs, since=since, until=until, file=file, against=against, positions=positions, suggest=suggest
    )
    if owned:
        os.nice(NICE)
        end_with_parent()
    with cancellable("gatehouse rules backtest"):
        report = run_backtest(place.home, place.settings, question, progress_line(machine=owned))
    if sys.stderr.isatty():
        click.echo("\r", nl=False, err=True)
    if as_json:
        print_json(report.to_dict())
    else:
        click.echo(report.text())
