"""What one shift leaves to the next 交接班: filled from what stands open at the site, not from memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gateway.model import (
    Alert,
    AlertState,
    Device,
    Handover,
    HandoverItem,
    HandoverList,
    PlanRun,
    Severity,
    StepRun,
    StepState,
)
from gateway.services.alerts import Alerts
from gateway.services.plans import PlanRuns
from gateway.services.world import World

#: The chapters of a hand-over, in the order in which they are read.
CHAPTERS = ("alerts", "shelved", "out_of_service", "notifications", "steps", "offline")
#: Things of one chapter that are kept; the rest is counted.
LONGEST = 200
UNSEEN = (AlertState.UNACKNOWLEDGED, AlertState.RETURNED)
_UNDONE = (StepState.WAITING, StepState.ACTIVE, StepState.OVERDUE, StepState.FAILED)

Failed = Callable[[str], Iterable[HandoverItem]]


def chapters(
    alerts: Iterable[Alert],
    runs: Iterable[PlanRun],
    devices: Iterable[Device],
    online: Mapping[str, bool | None],
    failed: Iterable[HandoverItem],
) -> tuple[HandoverList, ...]:
    """All chapters, from what belongs to the site: open alerts, running plans, devices and which are there."""
    own = sorted(alerts, key=lambda alert: (alert.severity.rank, alert.raised_at, alert.id))
    placed = sorted(devices, key=lambda device: device.id)
    gone = [device for device in placed if device.enabled and online.get(device.id) is False]
    found = {
        "alerts": [_of_alert(alert) for alert in own if alert.shelving is None],
        "shelved": [_of_alert(alert) for alert in own if alert.shelving is not None and _by_person(alert)],
        "out_of_service": [
            *(_of_alert(alert) for alert in own if alert.shelving is not None and not _by_person(alert)),
            *(_of_device(device, "disabled") for device in placed if not device.enabled),
        ],
        "notifications": list(failed),
        "steps": [_of_step(run, step) for run in runs if not run.drill for step in run.steps if step.state in _UNDONE],
        "offline": [_of_device(device, "offline") for device in gone],
    }
    return tuple(
        HandoverList(name=name, total=len(found[name]), items=tuple(found[name][:LONGEST])) for name in CHAPTERS
    )


class HandoverFiller:
    """Reads the desk. `failed` gives the notifications of a site that did not arrive."""

    def __init__(self, world: World, alerts: Alerts, plans: PlanRuns, failed: Failed) -> None:
        self._world = world
        self._alerts = alerts
        self._plans = plans
        self._failed = failed

    def fill(self, site: str) -> tuple[HandoverList, ...]:
        """All chapters of the site, as they stand."""
        return chapters(
            (alert for alert in self._alerts.open.values() if alert.site == site and alert.parent is None),
            (run for run in self._plans.running.values() if run.site == site),
            (device for device in self._world.devices.values() if device.site == site),
            self._world.online,
            self._failed(site),
        )

    def blocking(self, site: str) -> list[Alert]:
        """Critical alerts of the site that nobody has acknowledged: with them nothing is handed over."""
        return [
            alert
            for alert in self._alerts.open.values()
            if alert.site == site and alert.severity is Severity.CRITICAL and alert.state in UNSEEN
        ]

    def raised_since(self, site: str, handover: Handover) -> tuple[str, ...]:
        """The open alerts that the signed list does not know."""
        known = {item.ref for chapter in handover.chapters for item in chapter.items}
        fresh = sorted(
            alert.id
            for alert in self._alerts.open.values()
            if alert.site == site and alert.parent is None and alert.id not in known
        )
        return tuple(fresh[:LONGEST])


def _by_person(alert: Alert) -> bool:
    return alert.shelving is not None and alert.shelving.kind == "shelved"


def _of_alert(alert: Alert) -> HandoverItem:
    shelving = alert.shelving
    return HandoverItem(
        ref=alert.id,
        title=alert.title,
        severity=str(alert.severity),
        state=str(alert.state) if shelving is None else shelving.kind,
        who=(shelving.by if shelving is not None else alert.acknowledged_by) or "",
        note=shelving.reason if shelving is not None else "",
        since_at=alert.raised_at if shelving is None else shelving.from_at,
        until_at=None if shelving is None else shelving.until_at,
    )


def _of_step(run: PlanRun, step: StepRun) -> HandoverItem:
    return HandoverItem(
        ref=run.id, title=step.title, state=str(step.state), who=step.role, note=step.note,
        since_at=step.started_at, until_at=step.complete_by,
    )  # fmt: skip


def _of_device(device: Device, state: str) -> HandoverItem:
    return HandoverItem(ref=device.id, title=device.name or {"en": device.id}, state=state)
