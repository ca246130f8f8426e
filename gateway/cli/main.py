"""The root of the command, and the commands that run things."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from gateway import __version__
from gateway.cli.common import Group, Place, json_option, print_json, with_place

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(cls=Group, context_settings=CONTEXT, no_args_is_help=True)
@click.option("--home", type=click.Path(path_type=Path), help="The gateway's folder [env GATEHOUSE_HOME].")
@click.option("--api-port", type=click.IntRange(1, 65535), help="The page's and API's port.")
@click.option("--mqtt-port", type=click.IntRange(1, 65535), help="The broker's port.")
def root(home: Path | None, api_port: int | None, mqtt_port: int | None) -> None:
    """Gatehouse, the IoT gateway of smart communities.

    \b
    Example:
      gatehouse run --home ./site
    """


@root.command()
@with_place
@click.option(
    "--within",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    help="Give up when it is not ready after so many seconds.",
)
def run(place: Place, within: float) -> None:
    """Start broker, core and API, and keep them running until Ctrl-C.

    Prints the page's address and a one-time sign-in link.

    \b
    Example:
      gatehouse run --home ./site --api-port 8080
    """
    from gateway.app.run import run_all

    sys.exit(run_all(place.home, place.settings, place.options, within=within))


@root.command()
@with_place
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 1440),
    default=60.0,
    show_default=True,
    help="How much faster than life the day goes.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same day.")
@click.option("--scenario", default="demo", show_default=True, help="A shipped scenario's name, or a file.")
def demo(place: Place, speed: float, seed: int, scenario: str) -> None:
    """Run the gateway with a simulated community, an ordinary day with five incidents.

    \b
    Example:
      gatehouse demo --home ./.demo
    """
    from gateway.app.demo import run_demo

    sys.exit(run_demo(place.home, place.settings, place.options, scenario=scenario, speed=speed, seed=seed))


def _process(name: str, place: Place, runner: Any, verbose: bool) -> None:
    from gateway.app.logs import set_up

    set_up(name, verbose=verbose)
    place.home.prepare()
    sys.exit(runner(place.home, place.settings))


verbose_option = click.option("--verbose", is_flag=True, help="Log in detail.")


@root.command()
@with_place
@verbose_option
def core(place: Place, verbose: bool) -> None:
    """Run the core alone: it receives, judges, commits, acknowledges and sends.

    \b
    Example:
      gatehouse core --home ./site
    """
    from gateway.app.core import run_core

    _process("core", place, run_core, verbose)


@root.command()
@with_place
@verbose_option
def api(place: Place, verbose: bool) -> None:
    """Run the API and the page alone.

    \b
    Example:
      gatehouse api --home ./site --api-port 8080
    """
    from gateway.app.api import run_api_process

    _process("api", place, run_api_process, verbose)


@root.group(cls=Group, invoke_without_command=True)
@with_place
@verbose_option
@click.pass_context
def broker(context: click.Context, place: Place, verbose: bool) -> None:
    """Run the embedded MQTT broker alone, or probe any broker.

    \b
    Example:
      gatehouse broker --home ./site --mqtt-port 1883
      gatehouse broker probe mqtt://broker.example:1883 --username core --password-file secret
    """
    if context.invoked_subcommand is None:
        from gateway.app.broker import run_broker

        _process("broker", place, run_broker, verbose)


@root.command()
@with_place
@json_option
def version(place: Place, as_json: bool) -> None:
    """Print the version.

    \b
    Example:
      gatehouse version --json
    """
    facts = {"version": __version__, "python": sys.version.split()[0]}
    if as_json:
        print_json(facts)
    else:
        click.echo(f"gatehouse {__version__}")


def assemble() -> click.Group:
    """The whole command, with the commands of all rooms."""
    from gateway.cli import (
        accounts,
        bench,
        brokers,
        control,
        devices,
        duty,
        journal,
        notify,
        orders,
        outages,
        passes,
        plans,
        rules,
        schedules,
        simulate,
        state,
        tools,
    )

    rooms = (
        accounts,
        bench,
        brokers,
        control,
        devices,
        duty,
        journal,
        orders,
        notify,
        outages,
        passes,
        plans,
        rules,
        schedules,
        simulate,
        state,
        tools,
    )
    for room in rooms:
        room.register(root, broker)
    return root


def command_tree() -> list[tuple[str, click.Command]]:
    """Every command with its path, parents first."""
    found: list[tuple[str, click.Command]] = []

    def walk(path: str, command: click.Command) -> None:
        found.append((path, command))
        if isinstance(command, click.Group):
            for name in sorted(command.commands):
                walk(f"{path} {name}", command.commands[name])

    walk("gatehouse", assemble())
    return found


def main() -> None:
    """The entry point. SIGPIPE ends quietly, so that `| head` works; what it writes is its user's alone."""
    os.umask(0o077)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    assemble()(prog_name="gatehouse")
