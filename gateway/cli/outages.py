"""`gatehouse outage …`: what is out of service."""

from __future__ import annotations

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(outage)


@click.group(cls=Group)
def outage() -> None:
    """Take devices, rules and zones out of service for a time, and back."""


@outage.command()
@with_place
@click.argument("scope", type=click.Choice(["device", "rule", "zone"]))
@click.argument("target")
@click.option("--site", required=True, help="The site it is of.")
@click.option("--reason", required=True, help="Why.")
@click.option("--minutes", type=float, required=True, help="For how long, at most 7 days.")
@click.option("--after", type=float, help="In how many minutes it begins [default: now].")
@click.option("--work-order", help="An order in progress: it ends when its work is done.")
def begin(
    place: Place, scope: str, target: str, site: str, reason: str, minutes: float, after: float | None,
    work_order: str | None,
) -> None:  # fmt: skip
    """Take the device, rule or zone TARGET out of service: its alerts ring nobody until it is back.

    \b
    Example:
      gatehouse outage begin device lift-1 --site s1 --minutes 120 --reason "yearly maintenance"
    """
    from gateway.app.acting import acting

    given = {"after": after, "work_order": work_order}
    more = {name: value for name, value in given.items() if value is not None}
    with acting(place.home, place.settings) as act:
        made = act("outage.begin", site=site, scope=scope, target=target, reason=reason, minutes=minutes, **more)
    click.echo(made["id"])


@outage.command()
@with_place
@click.argument("ident", metavar="ID")
def end(place: Place, ident: str) -> None:
    """Put back into service before its time: what still holds is raised anew.

    \b
    Example:
      gatehouse outage end oo-0123456789
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        act("outage.end", outage=ident)
    click.echo(f"{ident} has ended")


@outage.command(name="list")
@with_place
@click.option("--ended", is_flag=True, help="What was out of service, newest first.")
@json_option
def list_outages(place: Place, ended: bool, as_json: bool) -> None:
    """List what is out of service or will be, and how many alerts each hides.

    \b
    Example:
      gatehouse outage list --ended
    """
    from gateway.app.outages import outages

    found = outages(place.home, place.settings, ended=ended)
    if as_json:
        print_json(found)
        return
    columns = ("id", "state", "scope", "target", "by", "reason", "until_at", "hidden")
    print_table([[one[name] for name in columns] for one in found], columns)
