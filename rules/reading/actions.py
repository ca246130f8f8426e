"""`then`: what a rule starts besides its alert."""

from __future__ import annotations

from rules.document import Node
from rules.language import CommandRequest, Then, WorkOrderRequest
from rules.reading.common import read_text


def read_then(node: Node) -> Then:
    """`{plan, work_order, command}`."""
    found = node.words(("plan", "work_order", "command"), "then")
    return Then(
        plan=found["plan"].text("plan") if "plan" in found else None,
        work_order=_work_order(found["work_order"]) if "work_order" in found else None,
        command=_command(found["command"]) if "command" in found else None,
    )


def _work_order(node: Node) -> WorkOrderRequest | None:
    found = node.words(("team", "respond_within", "resolve_within", "needs_proof", "title"), "work_order")
    if "team" not in found:
        if node.is_mapping:
            node.problem("the work order has no team", "write `work_order: {team: elevator, respond_within: 3m}`")
        return None
    return WorkOrderRequest(
        team=found["team"].text("team") or "",
        respond_within=found["respond_within"].duration("respond_within") if "respond_within" in found else None,
        resolve_within=found["resolve_within"].duration("resolve_within") if "resolve_within" in found else None,
        needs_proof=(found["needs_proof"].boolean("needs_proof") if "needs_proof" in found else None) or False,
        title=(read_text(found["title"]) if "title" in found else None) or {},
    )


def _command(node: Node) -> CommandRequest | None:
    found = node.words(("name", "device", "args"), "command")
    if "name" not in found:
        if node.is_mapping:
            node.problem("the command has no name", "write `command: {name: valve_close}`")
        return None
    args: dict[str, str | int | float | bool] = {}
    for key, value in found["args"].pairs("args") if "args" in found else ():
        plain = value.plain()
        if isinstance(plain, str | int | float | bool):
            args[key.shown] = plain
        else:
            value.problem("an argument is a text, a number, true or false")
    return CommandRequest(
        name=found["name"].text("name") or "",
        device=(found["device"].text("device") if "device" in found else None) or "self",
        args=args,
    )
