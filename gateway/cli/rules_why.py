"""`gatehouse rules why` and `save-test`: the reason for an alert, or for none; an alert as a test of its rule."""

from __future__ import annotations

import click

from gateway.cli.common import Command, Place, json_option, print_json, with_place
from gateway.cli.moments import MOMENT
from gateway.cli.progress import cancellable, end_with_parent

LANGUAGES = ("en", "zh")


@click.command(name="save-test", cls=Command)
@with_place
@click.argument("alert")
@click.option("--name", default="", help="What the test shows; the alert's title and time by default.")
@click.option("--owned", is_flag=True, hidden=True, help="Behind the API: ends with whoever started it.")
@json_option
def save_test(place: Place, alert: str, name: str, owned: bool, as_json: bool) -> None:
    """Make the alert with the id ALERT a test of its rule: print what a pack would have under `tests`.

    It holds what the alert's devices said, from the journal, and was run: it passes. Personal data is replaced.

    \b
    Example:
      gatehouse rules save-test al-0000001f-01 >> tests.yaml
    """
    from gateway.app.retrospect.saved_tests import saved_test

    if owned:
        end_with_parent()
    with cancellable("gatehouse rules save-test"):
        rule, text = saved_test(place.home, place.settings, alert, name)
    if as_json:
        print_json({"rule": rule, "test": text})
    else:
        click.echo(f"# under `tests:` of {rule}\n{text}", nl=False)


@click.command(cls=Command)
@with_place
@click.argument("rule")
@click.option("--device", required=True, help="The device's id.")
@click.option("--at", type=MOMENT, help="When: 10m (ago), or RFC 3339; now by default.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="For people.")
@click.option("--owned", is_flag=True, hidden=True, help="Behind the API: ends with whoever started it.")
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
        end_with_parent()
    with cancellable("gatehouse rules why"):
        answer = ask(place.home, place.settings, rule, device, at)
    if as_json:
        print_json(answer.to_dict())
    else:
        click.echo(answer.text(language))
