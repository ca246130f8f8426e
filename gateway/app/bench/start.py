"""`gatehouse bench start`: how soon `gatehouse run` is ready with many devices, and what it uses when idle."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gateway.app.bench.gateway import Gateway, Setting, running
from gateway.app.bench.machine import describe
from gateway.app.bench.processes import cpu_seconds, die_with_parent, memory_share_mb, with_children
from gateway.app.bench.report import Figure, Report, figure
from gateway.app.bench.watcher import Watcher
from gateway.config import Home
from gateway.errors import Unavailable

Say = Callable[[str], None]

#: A start that takes longer than this, in seconds, is taken to be stuck.
READY_WITHIN = 60.0
#: How often the address of the page is asked whether it is ready, in seconds: the resolution of the start.
LOOK_EVERY = 0.02
#: What is made once at a start is given back after this, in seconds: an idle nats-server collects every two minutes.
SETTLES_WITHIN = 130.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured: with how many devices, how many starts, and how long it is watched idle, in seconds."""

    devices: int = 10_000
    starts: int = 5
    idle_seconds: float = 40.0


def start(options: Options, say: Say) -> Report:
    """Measures all of it, with the embedded broker, in a home of its own.

    Raises `Unavailable` where the gateway does not become ready.
    """
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        machine = describe(folder)
        say(f"registering {options.devices} devices")
        began = time.monotonic()
        setting = Setting(name="start", broker="embedded", devices=options.devices, rules=0, api=True)
        with running(folder, setting) as gateway:
            registered = time.monotonic() - began
            token = gateway.token()
        figures = _starts(gateway, options, say)
        figures += _idle(gateway, options, token, say)
        figures.append(figure("first_start_and_registering_s", [registered], "s"))
    return Report(machine=machine, figures=figures)


def _starts(gateway: Gateway, options: Options, say: Say) -> list[Figure]:
    """From the command to the first answer that it is ready, every time from stopped."""
    times = []
    for number in range(options.starts):
        began = time.monotonic()
        with _run(gateway):
            times.append(time.monotonic() - began)
        say(f"start {number + 1} of {options.starts}: ready after {times[-1]:.2f} s")
    return [figure("start_to_ready_s", times, "s", 3)]


def _idle(gateway: Gateway, options: Options, token: str, say: Say) -> list[Figure]:
    """CPU and memory of all processes with one client on the event stream and nothing to tell it."""
    with _run(gateway) as supervisor:
        watcher = Watcher(gateway.settings.api.port, token)
        watcher.start()
        try:
            time.sleep(min(SETTLES_WITHIN, options.idle_seconds * 4))
            say(f"watching it idle for {options.idle_seconds:.0f} s")
            pids = with_children([supervisor])
            before, began = sum(map(cpu_seconds, pids)), time.monotonic()
            time.sleep(options.idle_seconds)
            used = (sum(map(cpu_seconds, pids)) - before) / (time.monotonic() - began)
            shares, whole = zip(*map(memory_share_mb, pids), strict=True)
        finally:
            watcher.stop()
    return [
        figure("idle_cpu_percent", [used * 100.0], "%", 2),
        figure("idle_memory_mb", [sum(shares)], "MB", 250),
        figure("idle_memory_rss_mb", [sum(whole)], "MB"),
    ]


@contextmanager
def _run(gateway: Gateway) -> Iterator[int]:
    """`gatehouse run` in the gateway's home, ready. The supervisor's process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", "run", *_options(gateway.home, gateway)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, nothing of Python
    )
    try:
        _await_ready(process, gateway.settings.api.port)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.communicate(timeout=READY_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _options(home: Home, gateway: Gateway) -> list[str]:
    ports = gateway.settings
    return ["--home", str(home.path), "--api-port", str(ports.api.port), "--mqtt-port", str(ports.mqtt.port)]


def _await_ready(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = (process.stderr.read() if process.stderr else "").strip()
            raise Unavailable(f"gatehouse run ended at its start: {said or f'exit code {process.returncode}'}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(LOOK_EVERY)
    raise Unavailable(f"gatehouse run was not ready after {READY_WITHIN:.0f} s")
