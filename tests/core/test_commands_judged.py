"""What the core finds out of commands goes through the rules, and is journaled as what devices say is."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.lab import Lab


def _answer(lab: Lab, device: str, command: str) -> None:
    lab.raw(f"gatehouse/v1/s1/{device}/results", json.dumps({"id": command, "status": "done"}))


def test_fault_080_commanded_and_not_confirmed_is_an_alert_that_a_crash_neither_loses_nor_doubles(
    tmp_path: Path,
) -> None:
    lab = Lab(tmp_path)
    lab.device("arm-1", type="barrier")
    lab.say("arm-1", "parking.barrier", position="down", loop_occupied=False)
    made = lab.act("command.request", device="arm-1", name="raise")
    _answer(lab, "arm-1", made["id"])
    lab.crash()
    lab.wait(14)
    assert not [one for one in lab.alerts() if one.rule == "gateway.command-not-confirmed"]
    lab.wait(2)
    alert = lab.alert("gateway.command-not-confirmed")
    assert (alert.device, alert.severity, alert.values["command"]) == ("arm-1", "high", "raise")
    assert lab.command(made["id"]).observation == "missing"
    lab.crash()
    lab.wait(20)
    assert lab.alert("gateway.command-not-confirmed").id == alert.id
    assert lab.alert("gateway.command-not-confirmed").count == 1
    lab.close()


def test_fault_075_an_answer_to_a_command_of_somebody_else_is_a_security_alert(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.device("door-1", type="door")
    _answer(lab, "door-1", "cm-captured")
    lab.turn()
    assert lab.alert("gateway.command-from-elsewhere").device == "door-1"
    lab.crash()
    assert lab.alert("gateway.command-from-elsewhere").count == 1
    lab.close()


def test_a_proof_in_the_same_batch_as_the_answer_is_seen(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.device("arm-1", type="barrier")
    lab.say("arm-1", "parking.barrier", position="down", loop_occupied=False)
    made = lab.act("command.request", device="arm-1", name="raise")
    answer = lab.message("gatehouse/v1/s1/arm-1/results", json.dumps({"id": made["id"], "status": "done"}))
    lab.turn(answer, lab.event("arm-1", "parking.barrier", position="up", loop_occupied=False))
    lab.wait(20)
    assert lab.command(made["id"]).observation == "observed"
    assert not [one for one in lab.alerts() if one.rule.startswith("gateway.command")]
    lab.close()
