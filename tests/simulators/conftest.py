"""Brokers for the runner's tests."""

from tests.support.brokers import mosquitto_broker, nats_broker

__all__ = ["mosquitto_broker", "nats_broker"]
