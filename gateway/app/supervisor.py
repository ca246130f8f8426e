"""`gatehouse run`: starts broker, core and API, starts again what ends, and stops all of it."""

from __future__ import annotations

import ctypes
import errno
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.config import Home, Settings
from gateway.errors import ConfigError, Unavailable

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_log = logging.getLogger(__name__)

#: Waits between restarts of a process that ends again and again, in seconds: at first and at most.
FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0
#: A process that has lived this long is taken to be well.
WELL_AFTER = 3.0
#: How long a process may take to end before it is killed.
STOP_WITHIN = 10.0
#: A log file beyond this size is set aside at the next start; one old file is kept.
LOG_LIMIT = 50 * 1024 * 1024


class Child:
    """One process under supervision. Exit code 2 means that it cannot run like this: then all of it ends."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self._arguments = [sys.executable, "-m", "gateway.cli", *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = FIRST_DELAY
        self._due = 0.0
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Starts the process; its output goes to its log."""
        if self._log.exists() and self._log.stat().st_size > LOG_LIMIT:
            self._log.replace(self._log.with_suffix(".old.log"))
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call; the supervisor has no threads
            )
        self._started = time.monotonic()

    def look(self) -> int | None:
        """Starts it again when it has ended and its wait is over. The exit code if it ended for good."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        now = time.monotonic()
        if code == 2:
            return code
        if not self._due:
            # One that was killed has nothing wrong with itself; one that fails by itself is given more and more time.
            if code < 0 or now - self._started > WELL_AFTER:
                self._delay = FIRST_DELAY
            self._due = now + self._delay
            self._delay = min(self._delay * 2, LONGEST_DELAY)
            _log.warning("%s ended (%s), starting it again; see %s", self.name, _how(code), self._log)
        if now >= self._due:
            self._due = 0.0
            self.restarts += 1
            self.start()
        return None

    def last_words(self) -> str:
        """The last line of its log."""
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""

    def stop(self) -> None:
        """Asks it to end, waits, and kills what does not."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            _log.warning("%s did not end within %.0f s and is killed", self.name, STOP_WITHIN)
            process.kill()
            process.wait()


class Supervisor:
    """The children in their order. `stop` takes them down in reverse."""

    def __init__(self, home: Home, settings: Settings, options: Sequence[str]) -> None:
        self._home = home
        self._settings = settings
        names = ["broker", "core", "api"] if not settings.mqtt.url else ["core", "api"]
        self.children = [Child(name, [name, *options], home.logs / f"{name}.log") for name in names]
        self.stopping = threading.Event()

    @property
    def address(self) -> str:
        """The page's address."""
        scheme = "https" if self._settings.api.tls_cert else "http"
        host = self._settings.api.host
        shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
        return f"{scheme}://{shown}:{self._settings.api.port}"

    def await_former(self) -> None:
        """Waits for the processes of a run that was killed: they end by themselves, and hold ports and lock until then.

        While that run still lives nothing is waited for: the ports will say that it does.
        """
        try:
            lines = (self._home.run / "pids").read_text().split("\n")
            former = {name: int(pid) for name, pid in (line.split() for line in lines if line)}
        except (OSError, ValueError):
            return
        if _is_ours(former.pop("run", 0)):
            return
        deadline = time.monotonic() + STOP_WITHIN
        while any(_is_ours(pid) for pid in former.values()) and time.monotonic() < deadline:
            self.stopping.wait(0.05)

    def check_ports(self) -> None:
        """Raises `ConfigError` where a port is taken, before anything is started that would only fail."""
        api, mqtt = self._settings.api, self._settings.mqtt
        wanted = [("--api-port", api.host, api.port)]
        if not mqtt.url:
            wanted.append(("--mqtt-port", mqtt.host, mqtt.port))
            if api.port == mqtt.port:
                raise ConfigError("--mqtt-port", mqtt.port, "another port than --api-port has")
        for option, host, port in wanted:
            if not _is_free(host, port):
                raise ConfigError(option, port, "a free port; another program has this one ('ss -ltnp' names it)")

    def start(self) -> None:
        """Starts all children and notes their process ids in `run/pids`."""
        for child in self.children:
            child.start()
        self._note_pids()

    def wait_ready(self, within: float, tell: Callable[[str], None]) -> None:
        """Returns when the API says that everything is up. Raises `Unavailable` with the failing child's last words."""
        deadline = time.monotonic() + within
        said = ""
        while not self.stopping.is_set():
            self._look()
            problem = self._not_ready()
            if problem is None:
                return
            if problem != said:
                tell(problem)
                said = problem
            if time.monotonic() > deadline:
                words = "; ".join(f"{child.name}: {child.last_words()}" for child in self.children)
                raise Unavailable(f"not ready after {within:.0f} s ({problem}). Last words: {words}")
            self.stopping.wait(0.05)

    def watch(self) -> None:
        """Keeps the children alive until `stopping` is set. Raises `Unavailable` where one cannot run at all."""
        while not self.stopping.wait(0.25):
            self._look()

    def stop(self) -> None:
        """Stops all children, the last started first."""
        self.stopping.set()
        for child in reversed(self.children):
            child.stop()
        (self._home.run / "pids").unlink(missing_ok=True)

    def _look(self) -> None:
        restarts = sum(child.restarts for child in self.children)
        for child in self.children:
            if child.look() is not None:
                raise Unavailable(f"{child.name} cannot run: {child.last_words()}")
        if sum(child.restarts for child in self.children) != restarts:
            self._note_pids()

    def _note_pids(self) -> None:
        lines = [f"{child.name} {child.pid}" for child in self.children if child.pid]
        (self._home.run / "pids").write_text("\n".join([f"run {os.getpid()}", *lines]) + "\n")

    def _not_ready(self) -> str | None:
        api = self._settings.api
        host = "127.0.0.1" if api.host in ("0.0.0.0", "::") else api.host  # noqa: S104 - compared, not bound
        connection = http.client.HTTPConnection(host, api.port, timeout=2)
        if api.tls_cert:
            connection = _unproven(host, api.port)
        try:
            connection.request("GET", "/api/v1/ready")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return "the API is not up yet"
        finally:
            connection.close()
        if status == 503:
            return "the core or the broker is not up yet"
        return None if status == 200 else f"the gateway answers {status}"


def _unproven(host: str, port: int) -> http.client.HTTPConnection:
    """To our own API, whose certificate is made out to another name than loopback: only whether it answers matters."""
    import ssl  # with its authorities it is several megabytes, which a supervisor of plain HTTP has no use for

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=2, context=context)


def _is_ours(pid: int) -> bool:
    """Whether the process lives and is one of the gateway's: a process id may have been given away again."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"gateway.cli" in words or b"gatehouse" in words


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _end_with_parent() -> None:
    """In the child: SIGTERM when the supervisor is gone, however it went, so that no core is left without one."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True
