"""The brokers of the bench, each on a free loopback port, with the settings that the product ships or recommends."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from gateway.app.bench.processes import die_with_parent
from gateway.broker import BrokerSettings, BrokerUser, EmbeddedBroker, hash_password
from gateway.errors import Unavailable

BrokerName = Literal["embedded", "mosquitto"]
#: The gateway's own user, and the one that the load publishes as.
CORE_USER, LOAD_USER = "gatehouse-core", "bench-load"
START_WITHIN = 10.0

#: deploy/mosquitto/mosquitto.conf, with the choice its README names for speed: the store is saved every 30 s and not at
#: each change. Without TLS, as the embedded broker is measured.
MOSQUITTO_SETTINGS: Final = """\
per_listener_settings false
allow_anonymous false
persistence true
autosave_on_changes false
autosave_interval 30
persistent_client_expiration 14d
max_queued_messages 10000000
max_queued_bytes 268435456
max_inflight_messages 0
memory_limit 1073741824
message_size_limit 262144
max_packet_size 327680
max_keepalive 120
set_tcp_nodelay true
check_retain_source true
log_type error
log_type warning
"""


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_mosquitto() -> str | None:
    """The program `mosquitto`, also where Debian puts it outside a user's search path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def find_password_program() -> str | None:
    """The program `mosquitto_passwd`."""
    return shutil.which("mosquitto_passwd")


@contextmanager
def mosquitto(folder: Path, port: int, passwords: dict[str, str], site: str) -> Iterator[int]:
    """Mosquitto with the core's and the load's credential; its process id. Raises `Unavailable` where it is missing."""
    program, password_program = find_mosquitto(), find_password_program()
    if program is None or password_program is None:
        raise Unavailable("mosquitto is not installed: 'apt-get install mosquitto', or give --broker embedded")
    folder.mkdir(parents=True, mode=0o700)
    password_file = folder / "passwords"
    password_file.touch(0o600)
    for name, password in passwords.items():
        command = [password_program, "-b", str(password_file), name, password]
        subprocess.run(command, check=True, capture_output=True)
    acl = folder / "acl"
    acl.write_text(f"user {CORE_USER}\ntopic readwrite #\nuser {LOAD_USER}\ntopic write gatehouse/v1/{site}/#\n")
    acl.chmod(0o600)
    own = [f"persistence_location {folder}/", f"password_file {password_file}", f"acl_file {acl}"]
    if os.geteuid() == 0:
        # As root it would go on as another user, who may not read our folder.
        own.append("user root")
    own += [f"log_dest file {folder / 'log'}", f"listener {port} 127.0.0.1", "use_username_as_clientid true"]
    (folder / "mosquitto.conf").write_text(MOSQUITTO_SETTINGS + "\n".join(own) + "\n")
    process = subprocess.Popen(
        [program, "-c", str(folder / "mosquitto.conf")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, nothing of Python
        start_new_session=True,
    )
    try:
        _wait_for_port(port, process)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(START_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise Unavailable(f"mosquitto did not listen on port {port} within {START_WITHIN:.0f} s")


@contextmanager
def embedded(folder: Path, port: int, passwords: dict[str, str], site: str) -> Iterator[int]:
    """The embedded broker with the same two credentials, outside any gateway; its process id."""
    broker = EmbeddedBroker(folder, BrokerSettings(host="127.0.0.1", port=port))
    core = BrokerUser(
        name=CORE_USER, password_bcrypt=hash_password(passwords[CORE_USER]), publish=("#",), subscribe=("#",)
    )
    load = BrokerUser(
        name=LOAD_USER,
        password_bcrypt=hash_password(passwords[LOAD_USER]),
        publish=(f"gatehouse/v1/{site}/#",),
        subscribe=(),
    )
    broker.start(core, [load])
    try:
        yield broker.pid or 0
    finally:
        broker.stop()
