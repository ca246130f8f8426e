"""`gatehouse rules packs|show|put|delete|versions|restore|confirm|withdraw`: the packs of the site, changed live."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import Command, Place, json_option, print_json, print_table, with_place
from gateway.errors import UsageError

#: How long a check is waited for, in seconds.
CHECK_WITHIN = 120.0
_SAID = {
    "accepted": "in force",
    "checking": "still being checked: see 'gatehouse rules packs'",
    "waiting": "waits for a second person",
    "withdrawn": "withdrawn",
}
reason_option = click.option("--reason", required=True, help="Why; it is kept with the version and in the audit.")
name_argument = click.argument("name")


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _change(place: Place, action: str, as_json: bool, **args: Any) -> None:
    """Carries out an action and tells what became of the version. Exit code 3 where it is not in force yet."""
    from gateway.app.acting import acting
    from gateway.app.rule_packs import outcome

    pack = str(args["pack"])
    with acting(place.home, place.settings) as act:
        answer = act(action, **{name: value for name, value in args.items() if value is not None})
    number = answer.get("number")
    if number is None:
        if as_json:
            print_json({"pack": pack, "number": None})
        else:
            click.echo(f"{pack}: nothing to change")
        return
    version = outcome(place.home, place.settings, pack, int(number), CHECK_WITHIN)
    if as_json:
        print_json(version)
    else:
        click.echo(f"{pack}: version {number} is {_SAID.get(version['state'], version['state'])}")
        for one in version["hidden"] if version["state"] == "waiting" else ():
            click.echo(f"  would hide {one['alert']} of {_when(one['raised_at'])}: {one['rule']} {one['scope']}")
    sys.exit(0 if version["state"] in ("accepted", "withdrawn") else 3)


@click.command(cls=Command)
@with_place
@json_option
def packs(place: Place, as_json: bool) -> None:
    """List the site's rule packs: which version is in force, what waits, and what is refused.

    \b
    Example:
      gatehouse rules packs
    """
    from gateway.app.rule_packs import packs as read_packs

    found = read_packs(place.home, place.settings)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["name"],
            item["version"] or "-",
            "deleted" if item["deleted"] else item["rules"],
            item["author"] or "-",
            f"{item['waiting']['state']}: version {item['waiting']['number']}" if item["waiting"] else "-",
            f"refused: {len(item['refused']['problems'])} problems" if item["refused"] else "ok",
        )
        for item in found
    ]
    print_table(rows, ("NAME", "VERSION", "RULES", "AUTHOR", "WAITING", "FILE"))


@click.command(cls=Command)
@with_place
@name_argument
@click.option("--version", "number", type=click.IntRange(1), help="Another version than the one in force.")
@json_option
def show(place: Place, name: str, number: int | None, as_json: bool) -> None:
    """Print a pack's text as it is in force, or as it was.

    \b
    Example:
      gatehouse rules show site > site.yaml
      gatehouse rules show site --version 3
    """
    from gateway.app.rule_packs import text_of

    found = text_of(place.home, place.settings, name, number)
    if as_json:
        print_json(found)
    elif found["text"] is None:
        click.echo(f"{name}: deleted with version {found['number']}", err=True)
    else:
        click.echo(found["text"], nl=False)


@click.command(cls=Command)
@with_place
@name_argument
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@reason_option
@click.option("--if-version", "version", type=click.IntRange(0), help="Only if this version is still the one in force.")
@json_option
def put(place: Place, name: str, file: Path, reason: str, version: int | None, as_json: bool) -> None:
    """Put the text of FILE (- for standard input) in force as the pack NAME.

    Exit code 2 where it is refused, 3 where a second person has to confirm it.

    \b
    Example:
      gatehouse rules put site site.yaml --reason "night shift asked for 5 minutes"
    """
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text: {error.reason} at byte {error.start}") from error
    _change(place, "rules.put", as_json, pack=name, text=text, reason=reason, version=version)


@click.command(cls=Command)
@with_place
@name_argument
@reason_option
@json_option
def delete(place: Place, name: str, reason: str, as_json: bool) -> None:
    """Take a pack out of force. Its versions stay and can be restored.

    \b
    Example:
      gatehouse rules delete trial --reason "the trial is over"
    """
    _change(place, "rules.delete", as_json, pack=name, reason=reason)


@click.command(cls=Command)
@with_place
@name_argument
@json_option
def versions(place: Place, name: str, as_json: bool) -> None:
    """List the versions of a pack, newest first: who made them, when and why.

    \b
    Example:
      gatehouse rules versions site
    """
    from gateway.app.rule_packs import versions as read_versions

    found = read_versions(place.home, place.settings, name)
    if as_json:
        print_json(found)
        return
    rows = [
        (item["number"], _when(item["created_at"]), item["state"], item["author"], item["confirmed_by"], item["reason"])
        for item in found
    ]
    print_table(rows, ("VERSION", "MADE", "STATE", "AUTHOR", "CONFIRMED", "REASON"))


@click.command(cls=Command)
@with_place
@name_argument
@click.argument("number", type=click.IntRange(1))
@reason_option
@json_option
def restore(place: Place, name: str, number: int, reason: str, as_json: bool) -> None:
    """Put an earlier version in force again, as a new version.

    \b
    Example:
      gatehouse rules restore site 3 --reason "too many alerts"
    """
    _change(place, "rules.restore", as_json, pack=name, number=number, reason=reason)


@click.command(cls=Command)
@with_place
@name_argument
@json_option
def confirm(place: Place, name: str, as_json: bool) -> None:
    """Confirm a change that waits, as the second person. Whoever made it may not; nor the machine's own changes here.

    \b
    Example:
      gatehouse rules confirm site
    """
    _change(place, "rules.confirm", as_json, pack=name)


@click.command(cls=Command)
@with_place
@name_argument
@json_option
def withdraw(place: Place, name: str, as_json: bool) -> None:
    """Take a change back that waits for a second person.

    \b
    Example:
      gatehouse rules withdraw site
    """
    _change(place, "rules.withdraw", as_json, pack=name)


COMMANDS = (packs, show, put, delete, versions, restore, confirm, withdraw)
