"""The command: `python -m simulators SCENARIO ...`, and `devices`, `passes`, `site`, `check`, `faults`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from simulators.chaos import chaos_options, parse_chaos
from simulators.device import COMMON_FAULTS
from simulators.ledger import Ledger
from simulators.links import parse_url
from simulators.runner import Runner
from simulators.scenario import ScenarioError, find, parse
from simulators.simulation import Simulation

EXAMPLES = """examples:
  python -m simulators demo --url mqtt://127.0.0.1:1883 --credentials credentials.json
  python -m simulators demo --duration 60 --ledger ledger.jsonl --truth truth.jsonl --chaos duplicate=0.2,reorder=0.1
  python -m simulators devices demo > devices.json      what the gateway must register
  python -m simulators passes demo > passes.json        who may go through
  python -m simulators site demo                        the site and its zones
  python -m simulators faults demo                      what can go wrong with which device
  python -m simulators check my-scenario.yaml
"""
LISTS = ("devices", "passes", "site", "faults", "check")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command. 0 when all went well, 1 when the broker could not be used, 2 for wrong input."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments and arguments[0] in LISTS:
            return _show(arguments[0], arguments[1:])
        return _run(arguments[1:] if arguments[:1] == ["run"] else arguments)
    except (ScenarioError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


def load(name: str, seed: int | None = None) -> Simulation:
    """The simulation of a scenario given by path or shipped name. Raises `ScenarioError`."""
    scenario, source = parse(*find(name))
    try:
        chaos = chaos_options(scenario.chaos)
    except ValueError as error:
        raise source.error("$.chaos", str(error)) from error
    return Simulation(scenario, source, seed=seed, chaos=chaos)


def read_credentials(path: Path, simulation: Simulation) -> dict[str, tuple[str, str]]:
    """User name and password of each connection from `{"device": {"username","password"}}`. Raises `ValueError`."""
    try:
        table = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]])
        known = {name: (entry["username"], entry["password"]) for name, entry in table.items()}
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{path}: no credentials: {error}") from error
    except KeyError as error:
        raise ValueError(f"{path}: an entry lacks {error}; each is {{username, password}}") from error
    credentials: dict[str, tuple[str, str]] = {}
    for link, devices in simulation.community.links.items():
        names = [link, *(device.id for device in devices)]
        found = next((known[name] for name in names if name in known), None)
        if found is not None:
            credentials[link] = found
    return credentials


def _show(what: str, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m simulators {what}")
    parser.add_argument("scenario", help="a YAML file, or the name of a shipped scenario (demo)")
    simulation = load(parser.parse_args(arguments).scenario)
    community = simulation.community
    result: object
    if what == "devices":
        result = community.registrations()
    elif what == "passes":
        result = community.passes()
    elif what == "site":
        result = community.place()
    elif what == "faults":
        result = {device.id: {**device.faults, **COMMON_FAULTS} for device in community.devices.values()}
    else:
        result = {"devices": len(community.devices), "connections": len(community.links), "ok": True}
    print(json.dumps(result, ensure_ascii=False, indent=1))
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators",
        description="Simulated equipment of a community, speaking the makers' formats over MQTT.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", help="a YAML file, or the name of a shipped scenario (demo)")
    parser.add_argument("--url", default="mqtt://127.0.0.1:1883", help="the broker (default %(default)s)")
    parser.add_argument("--ca", help="file of the certificate authority for mqtts://")
    parser.add_argument("--credentials", type=Path, help="JSON: device -> {username, password}")
    parser.add_argument("--seed", type=int, help="another course of events (default: the scenario's)")
    parser.add_argument("--speed", type=float, help="simulated seconds per second (default: the scenario's)")
    parser.add_argument("--duration", type=float, help="real seconds to run (default: until stopped)")
    parser.add_argument("--truth", type=Path, help="write the incidents there, as JSON lines")
    parser.add_argument("--ledger", type=Path, help="write every publish and its acknowledgement there, as JSON lines")
    parser.add_argument("--chaos", default="", help="duplicate, reorder, delay, skew, drop_link, replay, retained = N")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    return parser


def _run(arguments: list[str]) -> int:
    given = _arguments().parse_args(arguments)
    scenario, source = parse(*find(given.scenario))
    if given.speed is not None and not given.speed > 0:
        raise ValueError("--speed must be greater than 0")
    chaos = chaos_options({**scenario.chaos, **parse_chaos(given.chaos)})
    simulation = Simulation(scenario, source, seed=given.seed, speed=given.speed, chaos=chaos)
    credentials = read_credentials(given.credentials, simulation) if given.credentials else {}
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def report(line: str) -> None:
        if not given.quiet:
            print(line, file=sys.stderr, flush=True)

    with Ledger(given.ledger) as ledger:
        address = parse_url(given.url, given.ca)
        runner = Runner(simulation, address, credentials, ledger, truth=given.truth, report=report)
        runner.run(given.duration, stop)
        if ledger.acknowledged == 0:
            refusal = next((link.refusal for link in runner.links.values() if link.refusal), "nothing was acknowledged")
            print(f"no message reached the broker: {refusal}", file=sys.stderr)
            return 1
    return 0
