"""The embedded MQTT broker: nats-server from its wheel, configured, started and watched by us.

`config` turns settings and credentials into its configuration (a pure function); `server` runs it. Left out when
`mqtt.url` names an external broker. What it guarantees and what it does not is in docs/broker.md.
"""

from gateway.broker.config import BrokerSettings, BrokerUser, render_config, topic_to_subject
from gateway.broker.server import BrokerFailed, EmbeddedBroker, hash_password

__all__ = [
    "BrokerFailed",
    "BrokerSettings",
    "BrokerUser",
    "EmbeddedBroker",
    "hash_password",
    "render_config",
    "topic_to_subject",
]
