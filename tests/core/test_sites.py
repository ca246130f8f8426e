"""What has no device of its own stands at the site where it happens, not at the gateway's."""

from __future__ import annotations

from pathlib import Path

from gateway.services.schedule_reading import read_schedules
from rules import shipped_packs
from tests.support.lab import Lab

PLANS = next(path.read_text("utf-8") for path in shipped_packs() if path.stem == "plans")
MISSED = """
- {id: missed, title: t, severity: low, on: patrol.missed, scope: [device, point], when: missed, clear: not missed}
"""
ROUND = """
schedules:
  - id: night
    site: s2
    title: {en: Night round, zh: 夜巡}
    does: patrol
    at: "5 18 * * *"
    points:
      - {id: gate, title: {en: Gate, zh: 大门}, to: 20m}
"""


def lab_of(folder: Path) -> Lab:
    lab = Lab(folder, pack=PLANS + MISSED, schedules=read_schedules({"x.yaml": ROUND}))
    for site in ("s1", "s2", "s3"):
        lab.act("site.put", id=site, timezone="Asia/Shanghai")
    return lab


def test_an_overdue_step_without_a_device_is_an_alert_of_the_runs_site_also_over_a_restart(tmp_path: Path) -> None:
    lab = lab_of(tmp_path)
    lab.wait(2)
    runs = {site: lab.act("plan.start", plan="fire", site=site)["id"] for site in ("s2", "s3")}
    lab.wait(100)
    lab.crash()
    lab.wait(100)
    for site, run in runs.items():
        mine = [alert for alert in lab.alerts() if f"/{run}/" in alert.scope]
        assert mine and {alert.site for alert in mine} == {site}
        lab.act("plan.stop", run=run, reason="over")
        assert not any(alert.active for alert in lab.alerts() if f"/{run}/" in alert.scope)
    lab.close()


def test_a_missed_point_without_a_device_is_an_alert_of_the_rounds_site(tmp_path: Path) -> None:
    lab = lab_of(tmp_path)
    lab.wait(1800, 30)
    assert lab.alert("missed").site == "s2"
    lab.close()
