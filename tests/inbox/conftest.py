"""The real brokers these tests run against."""

import pytest

from tests.support.brokers import mosquitto_broker, nats_broker

__all__ = ["mosquitto_broker", "nats_broker"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mosquitto: needs Debian's mosquitto")
