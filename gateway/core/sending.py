"""What leaves after the commit: commands in their device's own words, replies, and what need not arrive."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.contract import Commands, Packet
from gateway.core.clock import Clock
from gateway.core.outbox import Publisher
from gateway.core.pipeline import Pipeline
from gateway.core.sheet import Sheet
from gateway.errors import Conflict, GatehouseError
from gateway.model import Command, CommandResult, Outgoing

Packets = Sequence[tuple[Command, tuple[Packet, ...]]]


def encode_commands(sheet: Sheet, pipeline: Pipeline, *, unreachable: bool) -> Packets:
    """The bytes of each command, made before the commit: one that cannot be said fails in the same batch."""
    packets = []
    for command in sheet.changes.commands:
        device = pipeline.registry.devices.get(command.device)
        adapter = pipeline.adapter(device.adapter) if device is not None else None
        problem = ""
        if device is None or adapter is None or not isinstance(adapter, Commands):
            problem = "this kind of device takes no commands"
        elif unreachable:
            problem = "the broker is out of reach"
        else:
            try:
                packets.append((command, adapter.encode(command, device)))
            except Exception as error:
                problem = error.message if isinstance(error, GatehouseError) else f"the adapter failed: {error}"
        if problem:
            result = CommandResult(command.id, "failed", problem)
            pipeline.desk.result(command.device, result, sheet.at, sheet.wall, sheet.changes)
    return packets


def encode_instructions(sheet: Sheet, pipeline: Pipeline) -> None:
    """The messages that keep devices' own lists go to the outbox; one that cannot be said fails in the same batch."""
    done = 0
    # What fails may make room for the next one.
    while done < len(sheet.changes.instructions):
        command = sheet.changes.instructions[done]
        done += 1
        device = pipeline.registry.devices.get(command.device)
        adapter = pipeline.adapter(device.adapter) if device is not None else None
        try:
            if device is None or not isinstance(adapter, Commands):
                raise Conflict("this kind of device takes no list")
            packets = adapter.encode(command, device)
        except Exception as error:
            why = error.message if isinstance(error, GatehouseError) else f"the adapter failed: {error}"
            result = CommandResult(command.id, "failed", why)
            pipeline.desk.result(command.device, result, sheet.at, sheet.wall, sheet.changes)
            continue
        for packet in packets:
            sheet.changes.send(Outgoing(topic=packet.topic, payload=packet.payload, durable=True))


def publish(sheet: Sheet, packets: Packets, publisher: Publisher, clock: Clock) -> None:
    """Hands a committed batch's commands, replies and passing messages to the broker. Nothing of it is repeated."""
    for command, messages in packets:
        for packet in messages:
            left = command.expires_due - clock.now()
            if left > 0:
                # QoS 0: at QoS 1 the broker would keep it for a device that has just left, and repeat it to one
                # that opens first and acknowledges later.
                publisher.publish(packet.topic, packet.payload, qos=0, expiry=left)
    for reply in sheet.replies:
        if reply.topic:
            publisher.publish(reply.topic, reply.payload, qos=1)
    for message in sheet.changes.outgoing:
        if not message.durable:
            publisher.publish(
                message.topic, message.payload, qos=message.qos, retain=message.retain, expiry=message.expiry
            )
