"""What the commands share: where the home is, how they print, and how they fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import update_wrapper
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from gateway.config import Home, Settings, default_home, load_settings
from gateway.errors import GatehouseError

Function = Callable[..., Any]


class Place:
    """The home a command works on, with its settings read when they are first needed."""

    def __init__(self, home: Path | None, api_port: int | None, mqtt_port: int | None) -> None:
        self.home = Home(home or default_home())
        self._overrides = {"api": {"port": api_port}, "mqtt": {"port": mqtt_port}}
        self._given = [
            word
            for option, value in (("--api-port", api_port), ("--mqtt-port", mqtt_port))
            if value is not None
            for word in (option, str(value))
        ]

    @property
    def settings(self) -> Settings:
        """The settings; raises `ConfigError`."""
        return load_settings(self.home, os.environ, self._overrides)

    @property
    def options(self) -> list[str]:
        """The same place as options for another process."""
        return ["--home", str(self.home.path), *self._given]


def with_place(function: Function) -> Function:
    """Gives a command its `place`, from options that stand before or after its name, or from the environment."""

    @click.pass_context
    def wrapper(
        context: click.Context, /, home: Path | None, api_port: int | None, mqtt_port: int | None, **rest: Any
    ) -> Any:
        outer: dict[str, Any] = context.find_root().params
        place = Place(home or outer.get("home"), api_port or outer.get("api_port"), mqtt_port or outer.get("mqtt_port"))
        return function(place, **rest)

    # The function's own options first, in the order in which click has gathered them so far.
    update_wrapper(wrapper, function)
    for option in (
        click.option("--mqtt-port", type=click.IntRange(1, 65535), help="The broker's port [env GATEHOUSE_MQTT_PORT]."),
        click.option("--api-port", type=click.IntRange(1, 65535), help="The API's port [env GATEHOUSE_API_PORT]."),
        click.option("--home", type=click.Path(path_type=Path), help="The gateway's folder [env GATEHOUSE_HOME]."),
    ):
        option(wrapper)
    return wrapper


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode())


def print_table(rows: Sequence[Sequence[object]], headings: Sequence[str]) -> None:
    """Aligned columns; nothing but the headings where there are no rows."""
    texts = [[str(cell) if cell is not None else "-" for cell in row] for row in rows]
    widths = [max(len(line[index]) for line in [list(headings), *texts]) for index in range(len(headings))]
    for line in [list(headings), *texts]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _fail(context: click.Context, error: GatehouseError) -> NoReturn:
    click.echo(f"{context.command_path}: {error.message}", err=True)
    sys.exit(error.exit_code)


def _fail_by_system(context: click.Context, error: OSError) -> NoReturn:
    """What the system refused: a full disk, a folder without permission, a path that is too long."""
    if isinstance(error, BrokenPipeError):
        raise error
    named = str(error.filename)[:200] if error.filename is not None else "the system"
    click.echo(f"{context.command_path}: {named}: {error.strerror or error}", err=True)
    sys.exit(1)


def _wrong_usage(error: click.UsageError) -> NoReturn:
    """click's own words on one line, with where to look."""
    path = error.ctx.command_path if error.ctx is not None else "gatehouse"
    click.echo(f"{path}: {error.format_message().rstrip('.')} (see '{path} --help')", err=True)
    sys.exit(error.exit_code)


class Command(click.Command):
    """A command whose errors are one line on standard error, with the exit code the error names."""

    def invoke(self, context: click.Context) -> Any:
        """Runs the command; a `GatehouseError` ends the program, and so does what the system refuses."""
        try:
            return super().invoke(context)
        except GatehouseError as error:
            _fail(context, error)
        except OSError as error:
            _fail_by_system(context, error)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def invoke(self, context: click.Context) -> Any:
        """The same for a group that does something by itself, and for how it was called."""
        try:
            return super().invoke(context)
        except GatehouseError as error:
            _fail(context, error)
        except OSError as error:
            _fail_by_system(context, error)
        except click.UsageError as error:
            if isinstance(error, click.exceptions.NoArgsIsHelpError):
                raise
            _wrong_usage(error)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        """The same for the options before the command's name."""
        try:
            return super().make_context(info_name, args, parent=parent, **extra)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            _wrong_usage(error)


Group.group_class = Group
