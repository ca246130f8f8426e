"""The gateway on an external Mosquitto over MQTT 5, with the shipped configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.brokers import CORE, device, mosquitto_broker
from tests.support.gateway import RealGateway, cloud_event
from tests.support.mqtt_client import MqttTestClient

__all__ = ["mosquitto_broker"]

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]


def test_an_event_becomes_an_alert_over_mosquitto_and_mqtt_5(
    tmp_path: Path, mosquitto_broker: Callable[..., Any]
) -> None:
    broker = mosquitto_broker(devices=[device("door-1", site="s1")])
    user, password = broker.login(CORE)
    secret = tmp_path / "secret"
    secret.write_text(password)
    gateway = RealGateway(
        tmp_path / "home",
        settings=f"mqtt:\n  url: mqtt://127.0.0.1:{broker.port}\n  username: {user}\n  password_file: {secret}\n",
    )
    with gateway:
        assert set(gateway.pids()) == {"run", "core", "api"}, "no embedded broker beside an external one"
        gateway.add_device("door-1", type="door")
        with MqttTestClient(broker.port, *broker.login("door-1"), version=5) as client:
            client.publish(
                "gatehouse/v1/s1/door-1/events",
                cloud_event("door-1", "access.door", 1, {"state": "open", "forced": True}),
            )
        found = gateway.wait_for("/alerts", lambda alerts: bool(alerts["items"]), state="open")
        assert found["items"][0]["rule"] == "access.forced-door"
        assert gateway.ledger() == {"received": 1, "accepted": 1}
