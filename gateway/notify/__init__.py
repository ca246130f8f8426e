"""Messages to people on their way out: channels, the checks before anything is sent, and the sender beside the core."""

from gateway.notify.channels import Channel, ChannelType, SendFailed
from gateway.notify.deliver import Deliverer
from gateway.notify.guard import Guard
from gateway.notify.sender import Sender

__all__ = ["Channel", "ChannelType", "Deliverer", "Guard", "SendFailed", "Sender"]
