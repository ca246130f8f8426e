"""`gatehouse person …`, `gatehouse roster …`, `gatehouse shift …`: who is on duty."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place
from gateway.errors import Invalid, NotFound


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(person)
    root.add_command(roster)
    root.add_command(shift)


@click.group(cls=Group)
def person() -> None:
    """Add, list and remove the people who can be on duty and be told."""


@person.command()
@with_place
@click.argument("name")
@click.option("--called", help="How they are called.")
@click.option("--team", "teams", multiple=True, help="A team they belong to; may be repeated.")
@click.option("--role", "roles", multiple=True, help="A role they have there, such as supervisor; may be repeated.")
@click.option("--skill", "skills", multiple=True, help="What they can do; may be repeated.")
@click.option("--site", "sites", multiple=True, help="Only at this site; may be repeated.")
@click.option("--email", help="Their e-mail address.")
@click.option("--phone", help="Their phone number, for SMS.")
@click.option("--inactive", is_flag=True, help="On leave: neither on duty nor told.")
def put(
    place: Place, name: str, called: str | None, email: str | None, phone: str | None, inactive: bool, **words: Any
) -> None:
    """Add the person NAME (the name of their account, where they have one), or replace what is known of them.

    \b
    Example:
      gatehouse person put anna --team security --role supervisor --phone 13800001234
    """
    from gateway.app.acting import acting

    addresses = {kind: address for kind, address in (("email", email), ("phone", phone)) if address}
    args = {key: list(value) for key, value in words.items()}
    with acting(place.home, place.settings) as act:
        act("person.put", id=name, name=called, addresses=addresses, active=not inactive, **args)
    click.echo(f"{name} can be on duty" if not inactive else f"{name} is inactive")


@person.command(name="list")
@with_place
@json_option
def list_people(place: Place, as_json: bool) -> None:
    """List the people.

    \b
    Example:
      gatehouse person list
    """
    from gateway.app.duty import people

    found = people(place.home, place.settings)
    if as_json:
        print_json(found)
        return
    rows = [(one["id"], one["name"], ",".join(one["teams"]), ",".join(one["roles"]), _reach(one)) for one in found]
    print_table(rows, ("ID", "NAME", "TEAMS", "ROLES", "REACHED BY"))


def _reach(one: dict[str, Any]) -> str:
    return ",".join(sorted(one["addresses"])) if one["active"] else "inactive"


@person.command()
@with_place
@click.argument("name")
def remove(place: Place, name: str) -> None:
    """Remove a person; refused while a roster names them.

    \b
    Example:
      gatehouse person remove anna
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        act("person.remove", id=name)
    click.echo(f"{name} is removed")


@click.group(cls=Group)
def roster() -> None:
    """Put, list and remove rosters, and tell who is on duty."""


@roster.command(name="put")
@with_place
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def put_roster(place: Place, file: Path) -> None:
    """Add or replace the roster in FILE (YAML or JSON). One with a gap is refused with its times.

    \b
    Example:
      gatehouse roster put guards.yaml
    """
    import yaml

    from gateway.app.acting import acting
    from gateway.services.calendar import gaps_of

    try:
        body = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(str(file), f"cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(body, dict):
        raise Invalid(str(file), "expected id, site, team and slots")
    with acting(place.home, place.settings) as act:
        kept = act("roster.put", **{str(key): value for key, value in body.items()})
    click.echo(f"roster {kept['id']} of {kept['team']} at {kept['site']}")
    for gap in gaps_of(kept):
        click.echo(f"  nobody is on duty {gap}")


@roster.command(name="list")
@with_place
@json_option
def list_rosters(place: Place, as_json: bool) -> None:
    """List the rosters, each with the times at which nobody is on duty.

    \b
    Example:
      gatehouse roster list
    """
    from gateway.app.duty import rosters

    found = rosters(place.home, place.settings)
    if as_json:
        print_json(found)
        return
    rows = [(one["id"], one["site"], one["team"], len(one["slots"]), "; ".join(one["gaps"]) or "none") for one in found]
    print_table(rows, ("ID", "SITE", "TEAM", "SLOTS", "GAPS"))


@roster.command(name="remove")
@with_place
@click.argument("name")
def remove_roster(place: Place, name: str) -> None:
    """Remove a roster.

    \b
    Example:
      gatehouse roster remove guards
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        act("roster.remove", roster=name)
    click.echo(f"roster {name} is removed")


@roster.command(name="on-duty")
@with_place
@click.option("--site", help="Only at this site.")
@json_option
def on_duty(place: Place, site: str | None, as_json: bool) -> None:
    """Tell who is on duty now, and until when.

    \b
    Example:
      gatehouse roster on-duty --site s1
    """
    from gateway.app.duty import on_duty as who

    found = [one for one in who(place.home, place.settings) if site in (None, one["site"])]
    if as_json:
        print_json(found)
        return
    rows = [(one["person"], one["name"], one["team"], one["role"], one["site"], one["until"]) for one in found]
    print_table(rows, ("PERSON", "NAME", "TEAM", "ROLE", "SITE", "UNTIL"))


@click.group(cls=Group)
def shift() -> None:
    """Read the shift log."""


@shift.command(name="list")
@with_place
@click.option("--site", help="Only this site's.")
@json_option
def list_shifts(place: Place, site: str | None, as_json: bool) -> None:
    """List the newest shifts.

    \b
    Example:
      gatehouse shift list --site s1
    """
    from gateway.app.duty import shifts

    found = [one for one in shifts(place.home, place.settings) if site in (None, one["site"])]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], one["site"], one["desk"], one["operator"], one["state"], _when(one["started_at"])) for one in found
    ]
    print_table(rows, ("ID", "SITE", "DESK", "OPERATOR", "STATE", "SINCE"))


@shift.command(name="show")
@with_place
@click.argument("ident")
@json_option
def show_shift(place: Place, ident: str, as_json: bool) -> None:
    """Show one shift with its notes and its hand-over.

    \b
    Example:
      gatehouse shift show sh-00000001f-01
    """
    from gateway.app.duty import shifts

    one = next((one for one in shifts(place.home, place.settings) if one["id"] == ident), None)
    if one is None:
        raise NotFound("shift", ident)
    if as_json:
        print_json(one)
        return
    click.echo(f"{one['operator']} at {one['site']}/{one['desk']} since {_when(one['started_at'])}: {one['state']}")
    for note in one["notes"]:
        click.echo(f"  {_when(note['written_at'])} {note['by']}: {note['text']}")
    signed = one["handover"]
    if signed is None:
        return
    click.echo(f"signed by {signed['signed_by']} {_when(signed['signed_at'])}: {signed['notes'] or 'no notes'}")
    for chapter in signed["chapters"]:
        click.echo(f"  {chapter['name']}: {chapter['total']}")
        for item in chapter["items"]:
            click.echo(f"    {item['ref']} {item['title'].get('en', '')} {item['state']}".rstrip())
    if signed["accepted_by"]:
        click.echo(f"accepted by {signed['accepted_by']} {_when(signed['accepted_at'])}")


def _when(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="minutes")
