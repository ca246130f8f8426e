"""`gatehouse command …`: commands to devices from the command line, in the same two steps as on the page."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from datetime import datetime
from typing import Any

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place
from gateway.errors import Conflict, UsageError


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(command)


@click.group(cls=Group)
def command() -> None:
    """Command a device, confirm as the second person, see what became of commands."""


@command.command()
@with_place
@click.argument("device")
@click.argument("word")
@click.option("--arg", "args", multiple=True, metavar="KEY=VALUE", help="An argument of the word; may be repeated.")
@click.option("--reason", help="Why; weighty words need it.")
@click.option("--expires-in", type=click.FloatRange(min=0, min_open=True), help="Seconds for which it has its force.")
@click.option("--yes", is_flag=True, help="Confirm without asking.")
@json_option
def send(
    place: Place,
    device: str,
    word: str,
    args: tuple[str, ...],
    reason: str | None,
    expires_in: float | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Command DEVICE to do WORD, after showing what it last said and what forbids it.

    Exit code 1 where something forbids the command or nobody confirmed it.

    \b
    Example:
      gatehouse command send gate-1 raise
      gatehouse command send door-1 lock --reason "night" --yes
    """
    from gateway.app.acting import acting
    from gateway.app.reading import state_of

    arguments = dict(_pair(text) for text in args)
    token = hashlib.sha256(secrets.token_bytes(32)).hexdigest()
    session = f"cli-{secrets.token_hex(8)}"
    with acting(place.home, place.settings) as act:
        selected = act("command.select", device=device, name=word, args=arguments, confirm=token, session=session)
        if not as_json:
            _show_state(state_of(place.home, place.settings, device))
        if selected["blocked"]:
            raise Conflict(f"'{word}' on '{device}' is blocked: {selected['blocked'][0]['reason']['en']}")
        if not yes and not click.confirm(f"{word} {device}?", err=True):
            raise UsageError("not confirmed: nothing was sent")
        optional = {"reason": reason, "expires_in": expires_in}
        made = act(
            "command.request", device=device, name=word, args=arguments, confirm=token, session=session,
            **{name: value for name, value in optional.items() if value is not None},
        )  # fmt: skip
    if as_json:
        print_json(made)
        return
    waits = made["needs_second"] and made["second_by"] is None
    click.echo(f"{made['id']} {'waits for a second person' if waits else made['state']}")


@command.command(name="list")
@with_place
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@json_option
def list_commands(place: Place, limit: int, as_json: bool) -> None:
    """List the newest commands and what became of them.

    \b
    Example:
      gatehouse command list --limit 5
    """
    from gateway.app.reading import commands

    found = commands(place.home, place.settings, limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            datetime.fromtimestamp(one["requested_at"]).strftime("%m-%d %H:%M:%S"), one["id"], one["device"],
            one["name"], one["state"], one.get("observation") or "-", one["by"], one["detail"],
        )
        for one in found
    ]  # fmt: skip
    print_table(rows, ("AT", "ID", "DEVICE", "WORD", "STATE", "SEEN", "BY", "DETAIL"))


@command.command()
@with_place
@click.argument("command_id")
def approve(place: Place, command_id: str) -> None:
    """Confirm, as the second person, a command that waits for one.

    \b
    Example:
      gatehouse command approve cm-0000001f-01
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        made = act("command.approve", command=command_id)
    click.echo(f"{made['id']} {made['state']}")


@command.command()
@with_place
@click.argument("command_id")
@click.option("--reason", help="Why.")
def withdraw(place: Place, command_id: str, reason: str | None) -> None:
    """Take back, or refuse as the second person, a command that waits for one.

    \b
    Example:
      gatehouse command withdraw cm-0000001f-01 --reason "wrong door"
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        more = {"reason": reason} if reason is not None else {}
        made = act("command.withdraw", command=command_id, **more)
    click.echo(f"{made['id']} {made['state']}: {made['detail']}")


def _pair(text: str) -> tuple[str, Any]:
    key, separator, value = text.partition("=")
    if not separator:
        raise UsageError(f"--arg {text!r}: write KEY=VALUE, for example --arg seconds=5")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _show_state(kinds: dict[str, Any]) -> None:
    """What the device last said, with its age, on standard error."""
    now = time.time()
    if not kinds:
        click.echo("it has said nothing yet", err=True)
    for kind, told in sorted(kinds.items()):
        values = ", ".join(f"{name} {value}" for name, value in told.get("data", {}).items())
        click.echo(f"{kind}, {max(0.0, now - told.get('received', now)):.0f} s ago: {values}", err=True)
