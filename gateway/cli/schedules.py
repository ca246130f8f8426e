"""`gatehouse schedule …`: maintenance, rounds and drills by calendar and count."""

from __future__ import annotations

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(schedule)


@click.group(cls=Group)
def schedule() -> None:
    """List, run, pause and resume schedules."""


@schedule.command(name="list")
@with_place
@json_option
def list_(place: Place, as_json: bool) -> None:
    """List the schedules of the home's schedules/ with their next times.

    \b
    Example:
      gatehouse schedule list
    """
    from gateway.app.schedules import schedules

    found = schedules(place.home, place.settings)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], one["site"], one["does"], one["next"], one["ran"], one["missed"], one["paused"] or one["problem"])
        for one in found
    ]
    print_table(rows, ("schedule", "site", "does", "next", "ran", "missed", "note"))


def _act(place: Place, action: str, name: str, **more: str) -> None:
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        done = act(action, schedule=name, **more)
    click.echo(done.get("problem") or done.get("result") or f"{name}: done")


@schedule.command()
@with_place
@click.argument("name")
def run(place: Place, name: str) -> None:
    """Run a schedule now, besides its times.

    \b
    Example:
      gatehouse schedule run lift-monthly
    """
    _act(place, "schedule.run", name)


@schedule.command()
@with_place
@click.argument("name")
@click.option("--reason", required=True, help="Why it does not run for a while.")
def pause(place: Place, name: str, reason: str) -> None:
    """Let a schedule's times pass until it is resumed.

    \b
    Example:
      gatehouse schedule pause lift-monthly --reason "the lift is being replaced"
    """
    _act(place, "schedule.pause", name, reason=reason)


@schedule.command()
@with_place
@click.argument("name")
def resume(place: Place, name: str) -> None:
    """Let a schedule run again; what passed meanwhile is not made good.

    \b
    Example:
      gatehouse schedule resume lift-monthly
    """
    _act(place, "schedule.resume", name)
