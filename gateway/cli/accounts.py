"""`gatehouse token …` and `gatehouse user …`."""

from __future__ import annotations

import hashlib
import secrets
import sys
import time
from typing import Any

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place
from gateway.errors import UsageError
from gateway.model import SCOPES, Role

role_option = click.option(
    "--role", type=click.Choice([role.value for role in Role]), default="viewer", show_default=True
)


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(token)
    root.add_command(user)


@click.group(cls=Group)
def token() -> None:
    """Create, list and revoke the tokens of programs."""


@token.command()
@with_place
@click.option("--name", required=True, help="What it is for.")
@role_option
@click.option("--site", "sites", multiple=True, help="Only for this site; may be repeated.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="It expires after so many days.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What it may besides: commands:direct, to command in one step. May be repeated.",
)
def create(
    place: Place, name: str, role: str, sites: tuple[str, ...], days: float | None, scopes: tuple[str, ...]
) -> None:
    """Create a token and print it, alone, on standard output. It is shown this once.

    \b
    Example:
      gatehouse token create --name portal --role viewer
      gatehouse token create --name parking --role operator --scope commands:direct
    """
    from gateway.app.acting import acting

    secret = "gh_" + secrets.token_urlsafe(32)
    args: dict[str, Any] = {"id": f"tok-{secrets.token_hex(6)}", "name": name, "role": role, "sites": list(sites)}
    args["scopes"] = list(scopes)
    args["hash"] = hashlib.sha256(secret.encode()).hexdigest()
    if days is not None:
        args["expires_at"] = time.time() + days * 86_400
    with acting(place.home, place.settings) as act:
        act("token.create", **args)
    click.echo(secret)


@token.command(name="list")
@with_place
@json_option
def list_tokens(place: Place, as_json: bool) -> None:
    """List the tokens, without their secrets.

    \b
    Example:
      gatehouse token list
    """
    from gateway.app.reading import tokens

    found = tokens(place.home, place.settings)
    if as_json:
        print_json(found)
        return
    rows = [(item["id"], item["name"], item["role"], "revoked" if item["revoked_at"] else "valid") for item in found]
    print_table(rows, ("ID", "NAME", "ROLE", "STATE"))


@token.command()
@with_place
@click.argument("name_or_id")
def revoke(place: Place, name_or_id: str) -> None:
    """Revoke a token, at once.

    \b
    Example:
      gatehouse token revoke portal
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        gone = act("token.revoke", id=name_or_id)
    click.echo(f"{gone['name']} is revoked")


@click.group(cls=Group)
def user() -> None:
    """Add and list the people who may sign in."""


@user.command(name="add")
@with_place
@click.argument("name")
@role_option
@click.option("--site", "sites", multiple=True, help="Only for this site; may be repeated.")
@click.option("--language", type=click.Choice(["en", "zh-CN"]), default="en", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_user(place: Place, name: str, role: str, sites: tuple[str, ...], language: str, password_stdin: bool) -> None:
    """Add a person. The password is asked for, or read from standard input; never given as an argument.

    \b
    Example:
      echo "$PASSWORD" | gatehouse user add anna --role operator --password-stdin
    """
    from argon2 import PasswordHasher

    from gateway.app.acting import acting

    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(password) < 10:
        raise UsageError("the password has fewer than 10 characters: choose a longer one, such as four words")
    with acting(place.home, place.settings) as act:
        act(
            "user.add",
            name=name,
            role=role,
            sites=list(sites),
            language=language,
            password_hash=PasswordHasher().hash(password),
        )
    click.echo(f"{name} may sign in as {role}")


@user.command(name="list")
@with_place
@json_option
def list_users(place: Place, as_json: bool) -> None:
    """List the people who may sign in.

    \b
    Example:
      gatehouse user list
    """
    from gateway.app.reading import users

    found = users(place.home, place.settings)
    if as_json:
        print_json(found)
        return
    rows = [(item["name"], item["role"], "disabled" if item["disabled"] else "enabled") for item in found]
    print_table(rows, ("NAME", "ROLE", "STATE"))


@user.command(name="link")
@with_place
@click.argument("name", default="admin")
def link(place: Place, name: str) -> None:
    """Print a one-time sign-in link, valid for 15 minutes.

    \b
    Example:
      gatehouse user link anna
    """
    from gateway.app.run import sign_in_link

    click.echo(sign_in_link(place.home, place.settings, name))
