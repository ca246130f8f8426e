"""What the stand-in's desk, its hand-over and its messages look like."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def shifts(time: Any, site: str) -> list[Json]:
    """One that has the desk, and one before it."""
    plain = {"site": site, "desk": "main", "handover": None, "before": None, "after": None, "version": 1}
    return [
        {**plain, "id": "sh-2", "operator": "user:anna", "state": "open", "started_at": time(3600), "ended_at": None,
         "notes": [{"by": "user:anna", "written_at": time(600), "text": "radio 3 is broken"}]},
        {**plain, "id": "sh-1", "operator": "user:li.wei", "state": "closed", "started_at": time(50_000),
         "ended_at": time(3600), "notes": []},
    ]  # fmt: skip


def handover(time: Any) -> Json:
    """A preview in which something stands in every chapter, and one critical alert blocks it."""
    item = {"title": {"en": "Lift 5: trapped", "zh": "5号梯困人"}, "state": "unacknowledged", "who": "", "note": "",
            "since_at": time(300), "until_at": None, "severity": "critical", "ref": "AL-0001"}  # fmt: skip
    names = ("alerts", "shelved", "out_of_service", "notifications", "steps", "offline")
    chapters = [{"name": name, "total": 1, "items": [{**item, "who": "user:anna", "note": "why"}]} for name in names]
    return {
        "shift": "sh-2", "site": "garden", "signed": False, "chapters": chapters, "notes": "", "signed_by": None,
        "signed_at": None, "in_place_of": "", "reason": "", "accepted_by": None, "accepted_at": None, "since": [],
        "blocking": ["AL-0001"],
    }  # fmt: skip


def messages(time: Any) -> list[Json]:
    """One that arrived, and one that does not."""
    plain = {"site": "garden", "kind": "alert", "alert": "AL-0001", "severity": "critical", "people": ["anna"],
             "channels": ["sms", "mail"], "attempts": 1, "flying": False, "tried": [], "sent_by": "", "version": 1,
             "title": {"en": "[CRITICAL] Lift 5: trapped", "zh": "[紧急] 5号梯困人"}}  # fmt: skip
    tried = [{"number": 1, "channel": "sms", "failed_at": time(200), "error": "the answer was 503"}]
    return [
        {**plain, "id": "no-2", "state": "pending", "created_at": time(200), "tried": tried},
        {**plain, "id": "no-1", "state": "sent", "created_at": time(300), "sent_by": "sms"},
    ]  # fmt: skip


def on_duty(time: Any) -> list[Json]:
    """Two people."""
    return [
        {"person": name, "name": name.title(), "role": "guard", "team": "security", "roster": "guards",
         "site": "garden", "until_at": time(-9000)} for name in ("anna", "ben")
    ]  # fmt: skip


CHANNELS: list[Json] = [
    {"id": "sms", "type": "sms", "language": "zh", "needs": "phone", "failing": "the answer was 503"},
    {"id": "desk", "type": "wecom", "language": "zh", "needs": "", "failing": None},
]
ESCALATION = {"chain": "critical", "levels": 3, "level": 1, "state": "running", "stopped_by": ""}
