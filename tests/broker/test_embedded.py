"""The embedded broker as a process: it starts, refuses clearly, reloads, survives and never outlives its parent."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from gateway.broker import BrokerFailed, BrokerSettings, BrokerUser, EmbeddedBroker, render_config
from tests.support.brokers import CORE_ACCOUNT, REPOSITORY, SHARED, NatsBroker, device, free_port, wait_until
from tests.support.mqtt_client import MqttTestClient, Refused

Factory = Callable[..., NatsBroker]
EVENTS = "gatehouse/v1/s1/{}/events"
COMMANDS = "gatehouse/v1/s1/{}/commands"


def test_the_configuration_is_private_and_holds_no_password(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a")])
    path = broker.embedded.config_path
    assert path.stat().st_mode & 0o777 == 0o600
    assert "a-password" not in path.read_text()


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        broker = EmbeddedBroker(tmp_path, BrokerSettings(host="127.0.0.1", port=port))
        with pytest.raises(BrokerFailed, match=rf"port {port} .* taken .*--mqtt-port"):
            broker.start(CORE_ACCOUNT.user())


def test_a_store_in_use_is_named_and_the_running_broker_is_left_alone(nats_broker: Factory) -> None:
    first = nats_broker()
    before = first.embedded.config_path.read_text()
    second = EmbeddedBroker(first.home, BrokerSettings(host="127.0.0.1", port=free_port()))
    with pytest.raises(BrokerFailed, match=r"in use by another broker.*--home"):
        second.start(CORE_ACCOUNT.user())
    assert first.embedded.config_path.read_text() == before
    with MqttTestClient(first.port, *first.login()) as core:
        core.publish("still/here", b"x")


def test_a_configuration_that_the_server_refuses_fails_the_start_with_its_words(tmp_path: Path) -> None:
    settings = BrokerSettings(host="127.0.0.1", port=free_port(), tls_cert="no.pem", tls_key="no.key")
    broker = EmbeddedBroker(tmp_path, settings)
    with pytest.raises(BrokerFailed, match=r"no\.pem"):
        broker.start(CORE_ACCOUNT.user())


def test_a_broker_that_was_never_started_says_so(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, BrokerSettings(host="127.0.0.1", port=free_port()))
    with pytest.raises(BrokerFailed, match="not started"):
        broker.poll()
    with pytest.raises(BrokerFailed, match="does not run"):
        broker.reload([])
    broker.stop()


def test_the_end_of_the_server_is_seen(nats_broker: Factory) -> None:
    broker = nats_broker()
    assert broker.embedded.poll() is None
    assert broker.embedded.wait(0.01) is None
    pid = broker.embedded.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert broker.embedded.wait(5.0) == -signal.SIGKILL


def test_the_server_dies_with_its_parent_and_the_store_is_free_at_once(tmp_path: Path) -> None:
    port = free_port()
    script = (
        "import sys, time; from pathlib import Path\n"
        "from gateway.broker import EmbeddedBroker, BrokerSettings\n"
        "from tests.support.brokers import CORE_ACCOUNT\n"
        f"b = EmbeddedBroker(Path({str(tmp_path)!r}), BrokerSettings(host='127.0.0.1', port={port}))\n"
        "b.start(CORE_ACCOUNT.user()); print(b.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    wait_until(lambda: not Path(f"/proc/{pid}/exe").exists(), what="the orphaned server to end")
    again = EmbeddedBroker(tmp_path, BrokerSettings(host="127.0.0.1", port=port))
    again.start(CORE_ACCOUNT.user())
    again.stop()


def test_fault_016_session_and_messages_survive_kill_9_of_the_broker(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a")])
    core = MqttTestClient(broker.port, *broker.login(), clean=False, client_id="core")
    core.connect()
    core.subscribe("gatehouse/v1/+/+/events")
    core.close()
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        for number in range(100):
            gate.publish(EVENTS.format("a"), str(number))
        broker.kill()
    broker.restart()
    again = MqttTestClient(broker.port, *broker.login(), clean=False, client_id="core")
    again.connect()
    assert again.session_present
    again.wait_for_count(100)
    assert [int(message.payload) for message in again.messages] == list(range(100))
    again.close()


def test_fault_067_a_revoked_device_is_cut_off_within_five_seconds_and_cannot_come_back(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a"), device("b")])
    revoked = MqttTestClient(broker.port, *broker.login("a"), client_id="a", clean=False)
    revoked.connect()
    revoked.subscribe(COMMANDS.format("a"))
    with (
        MqttTestClient(broker.port, *broker.login("b")) as other,
        MqttTestClient(broker.port, *broker.login()) as core,
    ):
        start = time.monotonic()
        broker.set_devices([device("b")])
        revoked.wait_until_disconnected()
        assert time.monotonic() - start < 5.0 * SHARED
        core.publish(COMMANDS.format("a"), b"open")
        with pytest.raises(Refused):
            MqttTestClient(broker.port, "a", "a-password", client_id="a", clean=False).connect()
        assert revoked.messages == []
        other.publish(EVENTS.format("b"), b"still here")
        assert other.disconnects == core.disconnects == 0, "a reload disturbed the others"


def test_a_changed_password_ends_the_old_one(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a")])
    gate = MqttTestClient(broker.port, *broker.login("a"))
    gate.connect()
    broker.set_devices([device("a", password="new-password")])
    gate.wait_until_disconnected(5.0)
    with pytest.raises(Refused):
        MqttTestClient(broker.port, "a", "a-password").connect()
    with MqttTestClient(broker.port, "a", "new-password") as again:
        again.publish(EVENTS.format("a"), b"x")


def test_an_added_device_may_come_in_without_a_restart(nats_broker: Factory) -> None:
    broker = nats_broker()
    with pytest.raises(Refused):
        MqttTestClient(broker.port, "new", "new-password").connect()
    broker.set_devices([device("new")])
    with MqttTestClient(broker.port, "new", "new-password") as gate:
        gate.publish(EVENTS.format("new"), b"x")


def test_one_device_that_cannot_be_expressed_keeps_nobody_else_out(nats_broker: Factory) -> None:
    bad = device("bad", publish=["vendor/with a space/x"])
    broker = nats_broker(devices=[device("a"), bad])
    assert set(broker.embedded.refused) == {"bad"}
    assert "with a space" in broker.embedded.refused["bad"]
    with MqttTestClient(broker.port, *broker.login("a")) as gate:
        gate.publish(EVENTS.format("a"), b"x")
    with pytest.raises(Refused):
        MqttTestClient(broker.port, *broker.login("bad")).connect()
    broker.set_devices([bad, device("b")])
    with MqttTestClient(broker.port, *broker.login("b")) as gate:
        gate.publish(EVENTS.format("b"), b"x")


def test_a_message_above_the_limit_ends_the_connection_and_reaches_nobody(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a")], max_payload=64 * 1024)
    with MqttTestClient(broker.port, *broker.login()) as core:
        core.subscribe("gatehouse/v1/+/+/events")
        gate = MqttTestClient(broker.port, *broker.login("a"))
        gate.connect()
        gate.publish(EVENTS.format("a"), b"x" * 60 * 1024)
        gate.paho.publish(EVENTS.format("a"), b"y" * 100 * 1024, qos=1)
        gate.wait_until_disconnected()
        core.wait_for_count(1)
        assert [len(message.payload) for message in core.messages] == [60 * 1024]


def test_the_port_for_nats_clients_is_on_loopback_and_takes_no_credential_of_ours(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a")])
    said = "Listening for client connections on"
    wait_until(lambda: any(said in line for line in broker.embedded.last_lines()), what="the server to name its port")
    text = next(line for line in broker.embedded.last_lines() if said in line)
    host, port = text.rsplit(" ", 1)[1].rsplit(":", 1)
    assert host == "127.0.0.1"
    for name, password in (broker.login("a"), broker.login(), ("", "")):
        with socket.create_connection((host, int(port)), timeout=30.0) as raw, raw.makefile("rwb") as stream:
            assert stream.readline().startswith(b"INFO ")
            login = f'"user":"{name}","pass":"{password}",' if name else ""
            stream.write(f'CONNECT {{{login}"verbose":true,"protocol":1}}\r\nSUB > 1\r\nPING\r\n'.encode())
            stream.flush()
            assert b"Authorization Violation" in stream.readline(), f"{name or 'nobody'} was let in"


def test_fault_071_tls_and_client_certificates(nats_broker: Factory, tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "server.key")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    broker = nats_broker(
        devices=[device("a")],
        tls_cert=str(tmp_path / "server.pem"),
        tls_key=str(tmp_path / "server.key"),
        tls_ca=str(tmp_path / "ca.pem"),
    )

    def client(issuer: trustme.CA | None, name: str) -> MqttTestClient:
        made = MqttTestClient(broker.port, *broker.login("a"))
        if issuer is None:
            made.paho.tls_set(str(tmp_path / "ca.pem"))
        else:
            own = issuer.issue_cert(f"{name}.example")
            own.private_key_and_cert_chain_pem.write_to_path(tmp_path / f"{name}.pem")
            made.paho.tls_set(str(tmp_path / "ca.pem"), str(tmp_path / f"{name}.pem"))
        return made

    with client(authority, "good") as gate:
        gate.publish(EVENTS.format("a"), b"x")
    for issuer, name in ((stranger, "strange"), (None, "none")):
        with pytest.raises((Refused, OSError)):
            client(issuer, name).connect()
    with pytest.raises((Refused, OSError)):
        MqttTestClient(broker.port, *broker.login("a")).connect()


def test_websocket_is_there_when_asked_for(nats_broker: Factory) -> None:
    port = free_port()
    broker = nats_broker(devices=[device("a")], websocket_port=port)
    with socket.create_connection(("127.0.0.1", port), timeout=30.0) as raw, raw.makefile("rwb") as stream:
        stream.write(
            b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: mqtt\r\n\r\n"
        )
        stream.flush()
        assert b"101" in stream.readline()
    assert broker.embedded.poll() is None


def test_fault_069_half_open_and_garbled_connections_do_not_disturb_the_others(nats_broker: Factory) -> None:
    broker = nats_broker(devices=[device("a")])
    with (
        MqttTestClient(broker.port, *broker.login()) as core,
        contextlib.ExitStack() as stack,
    ):
        core.subscribe("gatehouse/v1/+/+/events")
        for number in range(300):
            raw = stack.enter_context(socket.create_connection(("127.0.0.1", broker.port), timeout=30.0))
            raw.sendall((b"", b"\x10", b"\x10\xff\xff\xff\x7f\x00\x04MQTT", b"\x00" * 64, os.urandom(64))[number % 5])
        with MqttTestClient(broker.port, *broker.login("a")) as gate:
            gate.publish(EVENTS.format("a"), b"through")
        assert core.wait_for().payload == b"through"
        assert core.disconnects == 0


def test_ten_thousand_devices_cost_little_time(tmp_path: Path) -> None:
    hashed = device("x").user().password_bcrypt
    accounts = [
        BrokerUser(
            name=f"d{number}",
            password_bcrypt=hashed,
            publish=tuple(f"gatehouse/v1/s1/d{number}/{kind}" for kind in ("events", "availability", "results")),
            subscribe=(f"gatehouse/v1/s1/d{number}/commands",),
        )
        for number in range(10_000)
    ]
    broker = EmbeddedBroker(tmp_path, BrokerSettings(host="127.0.0.1", port=free_port()))
    start = time.process_time()
    render_config(broker.settings, CORE_ACCOUNT.user(), accounts)
    assert time.process_time() - start < 1.0, "measured: 0.1 s"
    broker.start(CORE_ACCOUNT.user(), accounts)
    broker.stop()
