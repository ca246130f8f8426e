"""The demo community's people and rosters: guards by day and night, a supervisor, an engineer. No real address."""

from __future__ import annotations

from typing import Any

from gateway.app.acting import Act

PEOPLE: tuple[dict[str, Any], ...] = (
    {"id": "li.wei", "name": "李伟 Li Wei", "teams": ["security"], "roles": ["guard"]},
    {"id": "wang.qiang", "name": "王强 Wang Qiang", "teams": ["security"], "roles": ["guard"]},
    {"id": "chen.jing", "name": "陈静 Chen Jing", "teams": ["security"], "roles": ["supervisor"]},
    {"id": "zhao.lei", "name": "赵磊 Zhao Lei", "teams": ["engineering", "elevator"], "roles": ["engineer"],
     "skills": ["lift", "electrician"]},
)  # fmt: skip
ROSTERS: tuple[dict[str, Any], ...] = (
    {
        "id": "demo-guards", "team": "security", "title": {"en": "Guards", "zh": "保安"},
        "slots": [
            {"start": "08:00", "end": "20:00", "people": ["li.wei"], "role": "guard"},
            {"start": "20:00", "end": "08:00", "people": ["wang.qiang"], "role": "guard"},
            {"start": "00:00", "end": "24:00", "people": ["chen.jing"], "role": "supervisor"},
        ],
    },
    {
        "id": "demo-repairs", "team": "engineering", "title": {"en": "Repairs", "zh": "工程"},
        "slots": [{"start": "00:00", "end": "24:00", "people": ["zhao.lei"], "role": "engineer"}],
    },
)  # fmt: skip


def staff(act: Act, site: str) -> None:
    """Puts the people and the rosters of the demo at a site."""
    for person in PEOPLE:
        act("person.put", **person)
    for roster in ROSTERS:
        act("roster.put", site=site, **roster)
