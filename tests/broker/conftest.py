"""The real brokers these tests run against."""

from tests.support.brokers import mosquitto_broker, nats_broker

__all__ = ["mosquitto_broker", "nats_broker"]
