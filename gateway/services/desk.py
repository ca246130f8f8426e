"""The desk: everything between the rules engine and the answer, composed of its services. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from gateway.errors import Forbidden, GatehouseError, UsageError
from gateway.model import (
    Action,
    Actor,
    Alert,
    Catalogue,
    Changes,
    Child,
    Cleared,
    Command,
    CommandResult,
    Decision,
    Device,
    DeviceList,
    Event,
    ListEntry,
    Notification,
    Outage,
    Pass,
    Person,
    PlanRun,
    Question,
    Raised,
    Roster,
    Round,
    RuleChange,
    Schedule,
    Shift,
    Site,
    Withheld,
    WorkOrder,
    Zone,
)
from gateway.model.changes import Record
from gateway.services.alert_actions import AlertActions
from gateway.services.alerts import CHATTER, SHELVING, Alerts, Coming
from gateway.services.arguments import Arguments
from gateway.services.chains import EscalationBook
from gateway.services.command_actions import CommandActions
from gateway.services.commands import EXPIRY, Commands
from gateway.services.common import Common
from gateway.services.duty_desk import DutyDesk
from gateway.services.folding import Folding
from gateway.services.list_sync import AGAIN, ANSWER, LOOK, SCAN, WINDOW, ListSync
from gateway.services.marks import STALE, Marks
from gateway.services.moment import Moment
from gateway.services.observation import OBSERVATION
from gateway.services.order_desk import OrderDesk
from gateway.services.outages import OUTAGE, Outages
from gateway.services.owners import OwnerActions
from gateway.services.pass_actions import PassActions
from gateway.services.passes import Passes
from gateway.services.plan_actions import PlanActions
from gateway.services.plan_book import PlanBook
from gateway.services.plans import PROPOSAL, STEP, PlanRuns
from gateway.services.ports import IdSource, RuleBook
from gateway.services.safety import Safety
from gateway.services.schedule_book import ScheduleBook
from gateway.services.schedule_desk import ScheduleDesk
from gateway.services.settings import DeskSettings
from gateway.services.storm import STORM, Storms
from gateway.services.teams import TeamBook
from gateway.services.templates import plain
from gateway.services.visitor_codes import KeyRing
from gateway.services.work_orders import WorkOrders
from gateway.services.working_time import Workdays, weekdays
from gateway.services.world import AVAILABILITY

Handler = Callable[[Arguments, Actor, Moment], Record | dict[str, Any]]


class Desk:
    """Alerts, work orders, plan runs, commands and passes of all sites.

    Every entry takes the two clocks and `out`, and first does what has come due before it, so that the outcome does not
    depend on how often `advance` is called. Where `act` raises, `out` holds at most audit lines, worth committing.
    """

    def __init__(
        self,
        rules: RuleBook,
        plans: PlanBook,
        catalogue: Catalogue,
        ids: IdSource,
        settings: DeskSettings | None = None,
        words: Mapping[str, Collection[str]] | None = None,
        safety: Safety | None = None,
        *,
        teams: TeamBook | None = None,
        workdays: Workdays = weekdays,
        schedules: ScheduleBook | None = None,
        escalation: EscalationBook | None = None,
        keys: KeyRing | None = None,
    ) -> None:
        """`words` are the command words that each adapter can carry; one that is not named may carry any.

        Without `safety` nothing but what releases people is commanded. `workdays` knows the holidays.
        `keys` sign and read visitors' codes.
        """
        common = Common(ids, settings or DeskSettings(), teams=TeamBook(teams or ()), workdays=workdays)
        common.world.words = words or {}
        self._common = common
        self.alerts = Alerts(common, rules, catalogue)
        self.work_orders = WorkOrders(common)
        self.plans = PlanRuns(common, plans, lambda: self.commands)
        self.commands = Commands(common, self.alerts, safety, self._command_ended)
        self.commands.on_observed = self.plans.automatic.unconfirmed
        self.command_actions = CommandActions(self.commands, self.alerts, common)
        self.passes = Passes(common, self.commands, keys)
        self.lists = ListSync(common, self.passes)
        self.passes.on_change = self.lists.passes_changed
        self.duty = DutyDesk(common, self.alerts, self.plans, escalation or EscalationBook())
        self.orders = OrderDesk(common, self.work_orders, self.alerts, self.duty.people)
        plan_actions = PlanActions(self.plans, common)
        self.planned = ScheduleDesk(common, schedules or ScheduleBook(), self.orders, plan_actions)
        self.folding = Folding(common, self.alerts, self.work_orders)
        self.storms = Storms(common, self.alerts, self.folding)
        self.outages = Outages(
            common, self.alerts, self.work_orders, lambda alert: self.folding.may_fold(alert.rule, alert.severity)
        )
        self.outages.on_back = self._follow_late
        self.marks = Marks(common, self.alerts)
        self.alerts.watch = lambda alert, moment: self.duty.escalations.watch(self.marks.watch(alert, moment), moment)
        self._handlers = self._actions()
        alerts = self.alerts
        self._timed: dict[str, Callable[[str, Moment], None]] = {
            SHELVING: alerts.shelving_ended,
            CHATTER: alerts.calm,
            OUTAGE: self.outages.due,
            STORM: self.storms.calm,
            STALE: self.marks.due,
            STEP: self.plans.due,
            PROPOSAL: self.plans.lapsed,
            EXPIRY: self.commands.expired,
            SCAN: self.lists.scan,
            LOOK: self.lists.look,
            ANSWER: self.lists.unanswered,
            AGAIN: self.lists.again,
            WINDOW: self.lists.window,
            OBSERVATION: self.commands.observations.overdue,
            **self.orders.timed(),
            **self.planned.timed(),
            **self.duty.timed(),
        }

    def _actions(self) -> dict[str, Handler]:
        alerts = AlertActions(self.alerts, self._common, self.folding)
        plans = PlanActions(self.plans, self._common)
        owners = OwnerActions(self.alerts, alerts, self.duty.may_own)
        passes = PassActions(self.passes, self._common)
        return {
            "alert.acknowledge": alerts.acknowledge,
            "alert.acknowledge_many": alerts.acknowledge_many,
            "alert.shelve": alerts.shelve,
            "alert.unshelve": alerts.unshelve,
            "alert.comment": alerts.comment,
            "alert.close": alerts.close,
            **self.orders.actions(),
            "alert.take": owners.take,
            "alert.assign": owners.assign,
            "alert.release": owners.release,
            "outage.begin": self.outages.begin,
            "outage.end": self.outages.end,
            "plan.start": plans.start,
            "plan.approve": plans.approve,
            "plan.step": plans.step,
            "plan.retry": plans.retry,
            "plan.stop": plans.stop,
            "command.select": self.command_actions.select,
            "command.request": self.command_actions.request,
            "command.approve": self.command_actions.approve,
            "command.withdraw": self.command_actions.withdraw,
            "pass.put": passes.put,
            "pass.remove": passes.remove,
            "pass.check": passes.check,
            "pass.outside": passes.outside,
            "pass.import": passes.import_,
            "pass.code": passes.code,
            "pass.renew": passes.renew,
            "list.resync": self.lists.resync,
            "pass.rotate_keys": passes.rotate_keys,
            **self.duty.actions(),
            **self.planned.actions(),
        }

    @property
    def action_names(self) -> frozenset[str]:
        """The actions that `act` answers."""
        return frozenset(self._handlers)

    # Coming back

    def restore(
        self,
        *,
        alerts: Iterable[Alert] = (),
        children: Iterable[Child] = (),
        work_orders: Iterable[WorkOrder] = (),
        plan_runs: Iterable[PlanRun] = (),
        commands: Iterable[Command] = (),
        passes: Iterable[Pass] = (),
        people: Iterable[Person] = (),
        rosters: Iterable[Roster] = (),
        shifts: Iterable[Shift] = (),
        schedules: Iterable[Schedule] = (),
        rounds: Iterable[Round] = (),
        notifications: Iterable[Notification] = (),
        device_lists: Iterable[DeviceList] = (),
        list_entries: Iterable[ListEntry] = (),
        outages: Iterable[Outage] = (),
        devices: Mapping[str, Device] | Iterable[Device] = (),
        zones: Mapping[str, Zone] | Iterable[Zone] = (),
        sites: Mapping[str, Site] | Iterable[Site] = (),
        states: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
        last_numbers: Iterable[str] = (),
        externals: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Takes over what is stored: all that is open or running, and all passes.

        Wanted besides: orders closed within 7 days (their fault's return reopens them), the highest order number of
        each day, commands of the last day that have an idempotency key, and lately closed alerts (to tell who was
        first). `states` is the newest data by device and kind.
        """
        self._common.timers.clear()
        self.set_topology(devices, zones, sites)
        self._common.world.forget()
        self.know(states or {})
        alerts = tuple(alerts)
        self.alerts.restore(alerts)
        self.folding.restore(children)
        self.storms.restore(alerts)
        self.outages.restore(outages, alerts)
        self.marks.restore(alerts)
        self.work_orders.restore(work_orders, last_numbers, externals)
        self.command_actions.selections.clear()
        self.commands.restore(commands)
        self.plans.restore(plan_runs)
        self.passes.restore(passes)
        self.lists.restore(device_lists, list_entries)
        self.planned.restore(schedules, rounds)
        self.duty.restore(alerts=alerts, people=people, rosters=rosters, shifts=shifts, notifications=notifications)

    def know(self, states: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """What the devices last said, by device and kind, without anything following from it: after a restart.

        Without it no barrier is lowered until it has spoken, and no device is known to be offline.
        """
        for device, kinds in states.items():
            for kind in sorted(self._common.world.watched & kinds.keys()):
                self._common.world.observe(device, kind, kinds[kind])

    def recover(self, now: float, wall: float, out: Changes) -> None:
        """Once after a restart: commands that were under way become `unknown`; nothing is sent again (FAULTS 74)."""
        moment = Moment(now, wall, out)
        self.commands.recover(moment)
        self.plans.recover(moment)
        self.planned.schedules.recover(moment)
        self.duty.recover(moment)
        self._catch_up(moment)

    def set_topology(
        self,
        devices: Mapping[str, Device] | Iterable[Device],
        zones: Mapping[str, Zone] | Iterable[Zone],
        sites: Mapping[str, Site] | Iterable[Site],
    ) -> None:
        """Replaces devices, zones and sites. A mapping is read in place: its owner may go on changing it."""
        self._common.world.set_topology(devices, zones, sites)
        self.lists.places_changed()

    def set_rules(self, rules: RuleBook, plans: PlanBook | None = None) -> None:
        """Newly loaded rules and plans, for what is raised and started from now on."""
        self.alerts.rules = rules
        if plans is not None:
            self.plans.book = plans

    # What happens

    def apply(self, changes: Sequence[RuleChange], now: float, wall: float, out: Changes) -> None:
        """What the rules engine says."""
        moment = Moment(now, wall, out)
        self._catch_up(moment)
        for change in changes:
            if isinstance(change, Cleared):
                self.folding.cleared(change, moment)
                self.alerts.cleared(change, moment)
                continue
            if isinstance(change, Withheld):
                if self.folding.withheld(change, moment):
                    continue
                change = _on_its_own(change)  # noqa: PLW2901 - it may not be hidden
            alert, coming = self._raised(change, moment)
            if coming == "new":
                alert = self.marks.came(alert, moment)
            if coming == "new" and alert.shelving is None:
                self._follow(alert, change, moment)
                self.storms.came(alert, moment)
            elif coming == "returned" and (alert.shelving is None or alert.shelving.outage is None):
                rule = self.alerts.rules.get(alert.rule)
                template = rule.then.work_order if rule is not None and rule.then is not None else None
                self.work_orders.returned(alert, template, moment)

    def _raised(self, change: Raised, moment: Moment) -> tuple[Alert, Coming]:
        coming: Coming = "repeat"
        alert = out = self.folding.raised(change, moment)
        if alert is None:
            alert, coming = self.alerts.raised(change, moment)
        if coming == "new" or out is not None:
            self.folding.gather(alert, moment)
            alert = self.alerts.open[alert.id]
        return alert, coming

    def _follow_late(self, alert: Alert, moment: Moment) -> None:
        """What the rule starts, where the alert came while its device was out of service: it was withheld till now."""
        if alert.work_order is None and alert.plan_run is None:
            late = Raised(rule=alert.rule, scope=alert.scope, at=alert.came_due, site=alert.site, device=alert.device)
            self._follow(alert, late, moment)

    def _follow(self, alert: Alert, change: Raised, moment: Moment) -> None:
        """What the rule starts, once for each alert."""
        rule = self.alerts.rules.get(alert.rule)
        then = rule.then if rule is not None else None
        if then is None:
            return
        by = f"rule:{alert.rule}"
        if then.work_order is not None:
            order = self.orders.open_for(alert, then.work_order, by, moment)
            self.alerts.link(alert.id, moment, work_order=order.id)
        if then.plan is not None:
            try:
                run = self.plans.start_for(alert, then.plan, moment, moment.now - change.at)
                self.alerts.link(alert.id, moment, plan_run=run.id)
            except GatehouseError as error:
                moment.note(by, "plan.start", alert.id, "failed", plan=then.plan, why=error.message)
        if then.command is None:
            return
        template = then.command
        target = alert.device if template.device in (None, "", "self") else template.device
        age = moment.now - change.at
        if target is None or age > self._common.settings.stale_input:
            why = "there is no device" if target is None else f"the judgement is {age:.0f} s old"
            moment.note(by, "command.request", target or alert.id, "refused", name=template.name, why=why)
            return
        draft = Command(
            id="",
            site=alert.site,
            device=target,
            name=template.name,
            args=dict(template.args),
            by=by,
            reason=plain(alert.id),
            alert=alert.id,
        )
        try:
            self.commands.order(draft, moment)
        except GatehouseError as error:
            moment.note(by, "command.request", target, "failed", name=template.name, why=error.message)

    def observe(self, event: Event, now: float, wall: float, out: Changes) -> None:
        """Takes note of availability, of what interlocks and proofs ask for, and of what is counted or a check-in.

        Returns at once for other kinds.
        """
        world = self._common.world
        planned = event.kind in self.planned.kinds
        if event.kind not in world.watched and not planned:
            return
        moment = Moment(now, wall, out)
        self._catch_up(moment)
        if planned:
            self.planned.observe(event, moment)
        if event.kind not in world.watched or not world.hears(event):
            return
        world.observe(event.device, event.kind, event.data)
        if event.kind != AVAILABILITY:
            self.commands.observations.seen(event.device, event.kind, event.data, moment)
        elif world.online.get(event.device):
            self.commands.came_online(event.device, moment)
            self.lists.came_online(event.device, moment)

    def recount(self, event: Event, now: float, wall: float, out: Changes) -> None:
        """Once after a restart, before `recover`: an event that the schedules' counters may not hold yet."""
        self.planned.schedules.observe(event, Moment(now, wall, out))

    def present(self, device: str, online: bool, now: float, wall: float, out: Changes) -> None:
        """A device was heard, or is known to be gone, without saying so by `device.availability`. Cheap if known."""
        world = self._common.world
        if world.online.get(device) is online:
            return
        moment = Moment(now, wall, out)
        self._catch_up(moment)
        world.observe(device, AVAILABILITY, {"online": online})
        if online:
            self.commands.came_online(device, moment)
            self.lists.came_online(device, moment)

    def result(self, device: str, result: CommandResult, now: float, wall: float, out: Changes) -> None:
        """What a device said of a command; also called by the core, as `failed`, where it cannot be encoded."""
        moment = Moment(now, wall, out)
        self._catch_up(moment)
        if not self.lists.result(device, result, moment):
            self.commands.result(device, result, moment)

    def decide(
        self, question: Question, device: Device, event: Event | None, now: float, wall: float, out: Changes
    ) -> Decision:
        """Whether who asks at the device may pass; if so, the opening command is dispatched."""
        moment = Moment(now, wall, out)
        self._catch_up(moment)
        return self.passes.decide(question, device, event, moment)

    def registered(self, site: str, kind: str, value: str, wall: float) -> bool:
        """Whether a plate, card or person has a pass of the site that is in force."""
        return self.passes.knows(site, kind, value, wall)

    def act(self, action: Action, now: float, wall: float, out: Changes) -> Record | dict[str, Any]:
        """What a person or a program asks for. Raises `GatehouseError`; nothing has changed then."""
        handler = self._handlers.get(action.name)
        if handler is None:
            raise UsageError(f"there is no action '{plain(action.name)}'", action=action.name)
        moment = Moment(now, wall, out)
        self._catch_up(moment)
        try:
            return handler(Arguments(action.args), action.actor, moment)
        except Forbidden as error:
            target = next((str(value) for value in action.args.values() if isinstance(value, str)), "")
            moment.note(action.actor.name, action.name, plain(target, 128), "refused", why=error.message)
            raise

    def _command_ended(self, command: Command, moment: Moment) -> None:
        self.plans.automatic.finished(command, moment)
        self.passes.not_opened(command, moment)

    # Time

    def advance(self, now: float, wall: float, out: Changes) -> None:
        """Does what has come due: shelving ends, deadlines, expiries, plan steps."""
        self._catch_up(Moment(now, wall, out))

    def next_due(self) -> float | None:
        """The steady instant at which `advance` has something to do, or None."""
        return self._common.timers.next_due()

    def _catch_up(self, moment: Moment) -> None:
        timers = self._common.timers
        while (due := timers.pop(moment.now)) is not None:
            self._timed[due[0]](due[1], moment)


def _on_its_own(change: Withheld) -> Raised:
    """The condition as if nothing explained it."""
    return Raised(
        rule=change.rule,
        scope=change.scope,
        at=change.at,
        site=change.site,
        device=change.device,
        momentary=change.momentary,
        values=change.values,
        evidence=change.evidence,
    )
