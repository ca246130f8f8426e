"""The demo community has somebody on duty at any hour, for each thing its chains and orders ask for."""

from __future__ import annotations

from pathlib import Path

from gateway.app.demo_duty import staff
from gateway.services.chain_reading import read_chains
from rules.escalation import shipped_chains
from tests.support.lab import Lab


def test_the_demo_has_somebody_for_every_level_of_the_shipped_chains_at_any_hour(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.act("site.put", id="s1", timezone="Asia/Shanghai")
    staff(lab.act, "s1")
    staff(lab.act, "s1")
    desk = lab.core.desk.duty
    for hour in range(24):
        for chain in read_chains("shipped", shipped_chains()):
            for level in chain.levels:
                people, note = desk.escalations.resolve(level, "s1", lab.clock.wall() + hour * 3600)
                assert people and not note, (chain.id, level, hour)
    assert not any(person.addresses for person in desk.people.all.values()), "nobody real is ever told"
    lab.close()
