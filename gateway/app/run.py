"""`gatehouse run` as a person meets it: progress, the address, a sign-in link, and a clean end."""

from __future__ import annotations

import hashlib
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from gateway.app.acting import acting, run_lock
from gateway.app.logs import set_up
from gateway.app.memory import settle
from gateway.app.supervisor import Supervisor
from gateway.config import Home, Settings, require_files
from gateway.errors import Conflict, GatehouseError

ADMINISTRATOR = "admin"
#: How long a sign-in link works, in seconds.
LINK_LIFE = 900.0


def say(text: str, stream: TextIO | None = None) -> None:
    """One line of progress for a person."""
    (stream or sys.stdout).write(text + "\n")
    (stream or sys.stdout).flush()


def page_address(settings: Settings) -> str:
    """The page's address on this machine."""
    scheme = "https" if settings.api.tls_cert else "http"
    return f"{scheme}://localhost:{settings.api.port}"


def sign_in_link(home: Home, settings: Settings, user: str = ADMINISTRATOR) -> str:
    """A new one-time link for `user`. The first one makes the administrator."""
    secret = secrets.token_urlsafe(32)
    with acting(home, settings) as act:
        if user == ADMINISTRATOR:
            with suppress(Conflict):
                act("user.add", name=ADMINISTRATOR, role="admin")
        act(
            "session.open",
            kind="link",
            user=user,
            hash=hashlib.sha256(secret.encode()).hexdigest(),
            csrf="",
            expires_at=time.time() + LINK_LIFE,
        )
    return f"{page_address(settings)}/api/v1/sign-in?token={secret}"


def run_all(
    home: Home,
    settings: Settings,
    options: Sequence[str],
    *,
    within: float,
    name: str = "run",
    beside: Callable[[Supervisor], Callable[[], None]] | None = None,
) -> int:
    """Runs everything until a signal. `beside` starts something more once all is ready and returns how to stop it."""
    set_up("run")
    home.prepare()
    lock = run_lock(home)
    lock.acquire()
    supervisor = Supervisor(home, settings, options)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    started = time.monotonic()
    end: Callable[[], None] = lambda: None  # noqa: E731 - replaced when there is something to end
    try:
        require_files(settings)
        supervisor.await_former()
        supervisor.check_ports()
        say(f"Gatehouse starts in {home.path}")
        supervisor.start()
        supervisor.wait_ready(within, lambda problem: say(f"  waiting: {problem}"))
        if not supervisor.stopping.is_set():
            say(f"Ready after {time.monotonic() - started:.1f} s.")
            say(f"  Control room  {supervisor.address}")
            say(f"  Sign in       {sign_in_link(home, settings)}  (works once, for 15 minutes)")
            broker = settings.mqtt.url or f"mqtt://localhost:{settings.mqtt.port}"
            say(f"  Broker        {broker}")
            say(f"  Logs          {home.logs}")
            if beside is not None:
                end = beside(supervisor)
            say("Ctrl-C stops all of it.")
            settle()
            supervisor.watch()
        return 0
    except GatehouseError as error:
        say(f"gatehouse {name}: {error.message}", sys.stderr)
        return error.exit_code
    finally:
        end()
        supervisor.stop()
        lock.release()
        say("Stopped.")
