"""`gatehouse rules why`: the reason for an alert, or for none."""

from __future__ import annotations

import os

import click

from gateway.cli.common import Command, Place, json_option, print_json, with_place
from gateway.cli.moments import MOMENT
from gateway.cli.progress import cancellable, end_with_parent

LANGUAGES = ("en", "zh")


@click.command(cls=Command)
@with_place
@click.argument("rule")
@click.option("--device", required=True, help="The device's id.")
@click.option("--at", type=MOMENT, help="When: 10m (ago), or RFC 3339; now by default.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="For people.")
@click.option("--owned", is_flag=True, hidden=True, help="Behind the API: gentle, and ends with whoever started it.")
@json_option
def why(place: Place, rule: str, device: str, at: float | None, language: str, owned: bool, as_json: bool) -> None:
    """Say why RULE has an alert for a device, or why not: clause by clause, and the first that stands in the way.

    In the past it reaches as far back as the journal. `+` is true, `-` false, `?` not known.

    \b
    Example:
      gatehouse rules why meter.burst --device meter-3 --at 2026-11-22T08:00:00+08:00
    """
    from gateway.app.retrospect.why import why as ask

    if owned:
        os.nice(5)
        end_with_parent()
    with cancellable("gatehouse rules why"):
        answer = ask(place.home, place.settings, rule, device, at)
    if as_json:
        print_json(answer.to_dict())
    else:
        click.echo(answer.text(language))
