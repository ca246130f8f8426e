"""`gatehouse bench ingest`: how fast messages become durable, what one costs, and how soon an alert is told."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from gateway.app.bench.bare import BareBroker, bare_broker
from gateway.app.bench.brokers import BrokerName
from gateway.app.bench.disk import commit_us_per_row, single_commits_ms
from gateway.app.bench.gateway import Gateway, Setting, running
from gateway.app.bench.load import Alarms, marks, sending, sent
from gateway.app.bench.machine import describe
from gateway.app.bench.report import Figure, Report, figure, quantile
from gateway.app.bench.watcher import Watcher
from gateway.errors import Unavailable
from rules import load_packs, shipped_packs

Say = Callable[[str], None]

#: How often the ledger is read while a run is counted in, in seconds: the resolution of the durable rate.
LOOK_EVERY = 0.02
#: How long one run may take, in seconds.
RUN_WITHIN = 60.0
#: The alarm load of the issue: 500 messages a second, every 50th of them alarming.
ALARM_RATE, ALARM_EVERY = 500.0, 50
#: Coprime to `ALARM_EVERY`, so that one alarm after the other is another device's.
ALARM_DEVICES = 501
#: How many rules are loaded in all for the rate and the delay.
RULES = 100
#: How many rules the cost of a message is compared with.
FEW_RULES, MANY_RULES = 10, 5000


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured. `folder` is where the homes are made; the default is the system's temporary folder."""

    brokers: tuple[BrokerName, ...] = ("mosquitto", "embedded")
    messages: int = 40_000
    runs: int = 3
    devices: int = 200
    alarm_seconds: float = 12.0
    folder: Path | None = None


class Durable(msgspec.Struct, frozen=True, kw_only=True):
    """One run through the gateway."""

    rate: float
    cpu_us: float
    load_rate: float
    duplicates: int


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One round under the same load: paho as it comes, the gateway's inbox alone, and the gateway."""

    paho: float
    paho_us: float
    inbox: float
    inbox_us: float
    durable: Durable


class Bench:
    """The measurements of one `gatehouse bench ingest`."""

    def __init__(self, options: Options, folder: Path, say: Say) -> None:
        self._options = options
        self._folder = folder
        self._say = say
        self.figures: list[Figure] = []
        self.problems: list[str] = []

    def run(self) -> None:
        """All of them; the figures of the first broker carry the plain names."""
        for number, broker in enumerate(self._options.brokers):
            self._measure_broker(broker, "" if number == 0 else f"{broker}_")
        self._measure_rules(self._options.brokers[0])
        self._say("SQLite alone")
        rows = [commit_us_per_row(self._folder / f"disk-{number}") for number in range(self._options.runs)]
        self.figures.append(figure("sqlite_commit_us_per_row", rows, "us"))

    def _measure_broker(self, broker: BrokerName, prefix: str) -> None:
        options = self._options
        shipped = len(load_packs(shipped_packs()))
        devices = max(options.devices, ALARM_DEVICES)
        setting = Setting(name=f"{broker}-100", broker=broker, devices=devices, rules=max(1, RULES - shipped), api=True)
        self._say(
            f"{broker}: starting a gateway with {devices} devices, {shipped} shipped rules and {setting.rules} more, "
            "all of which judge every message"
        )
        with running(self._folder, setting) as gateway, bare_broker(self._folder, broker) as bare:
            self._warm_up(gateway, bare)
            rounds = [self._round(f"{broker}: run {number + 1}", gateway, bare) for number in range(options.runs)]
            self._add_durable(prefix, rounds)
            self._alarms(gateway, broker, prefix)
            peaks = gateway.peak_memory_mb()
            own = {name: peak for name, peak in peaks.items() if broker == "embedded" or name != "broker"}
            self.figures.append(figure(f"{prefix}peak_memory_mb", [sum(own.values())], "MB"))
            self.figures.append(figure(f"{prefix}core_peak_memory_mb", [peaks["core"]], "MB"))

    def _round(self, where: str, gateway: Gateway, bare: BareBroker) -> Round:
        """The two bare receivers and the gateway in turn, under the same load."""
        options = self._options
        paho, paho_us = bare.receive("paho", options.messages, options.devices, RUN_WITHIN)
        inbox, inbox_us = bare.receive("inbox", options.messages, options.devices, RUN_WITHIN)
        self._say(f"{where}, bare paho: {paho:,.0f} messages/s, {paho_us:.1f} us of CPU each")
        self._say(f"{where}, the inbox alone: {inbox:,.0f} messages/s, {inbox_us:.1f} us of CPU each")
        durable = self._durable(gateway, options.messages)
        self._say(f"{where}, gateway: {durable.rate:,.0f} messages/s durable, {durable.cpu_us:.1f} us of CPU each")
        return Round(paho=paho, paho_us=paho_us, inbox=inbox, inbox_us=inbox_us, durable=durable)

    def _add_durable(self, prefix: str, rounds: Sequence[Round]) -> None:
        runs = [each.durable for each in rounds]
        bare_ratios = [each.durable.rate / each.paho for each in rounds]
        inbox_ratios = [each.durable.rate / each.inbox for each in rounds]
        self.figures += [
            figure(f"{prefix}durable_messages_per_s", [run.rate for run in runs], "/s", 12_000, wanted="at least"),
            figure(f"{prefix}ratio_to_bare_receiver", bare_ratios, "", 0.75, wanted="at least"),
            figure(f"{prefix}cpu_us_per_message", [run.cpu_us for run in runs], "us", 50),
            figure(f"{prefix}bare_receiver_messages_per_s", [each.paho for each in rounds], "/s"),
            figure(f"{prefix}bare_receiver_cpu_us_per_message", [each.paho_us for each in rounds], "us"),
            figure(f"{prefix}inbox_alone_messages_per_s", [each.inbox for each in rounds], "/s"),
            figure(f"{prefix}inbox_alone_cpu_us_per_message", [each.inbox_us for each in rounds], "us"),
            figure(f"{prefix}ratio_to_inbox_alone", inbox_ratios, ""),
            figure(f"{prefix}load_messages_per_s", [run.load_rate for run in runs], "/s"),
            figure(f"{prefix}duplicates", [sum(run.duplicates for run in runs)], ""),
        ]

    def _warm_up(self, gateway: Gateway, bare: BareBroker) -> None:
        """Every device once through the gateway, so that no run pays for what is made at a device's first message."""
        few = gateway.setting.devices * 2
        bare.receive("inbox", few, gateway.setting.devices, RUN_WITHIN)
        self._durable(gateway, few, gateway.setting.devices)

    def _durable(self, gateway: Gateway, messages: int, devices: int = 0) -> Durable:
        """One load through the gateway, counted in by the ledger."""
        before, newest, spent = gateway.ledger(), gateway.newest(), gateway.cpu_seconds()
        port, devices = gateway.mqtt_port, devices or self._options.devices
        with sending(port, gateway.password, messages, devices) as process:
            at = self._counted_in(gateway, before, messages, process)
            load = sent(process, RUN_WITHIN)
        spent = gateway.cpu_seconds() - spent
        duplicates = self._check(gateway, before, messages)
        return Durable(
            rate=messages / (at - gateway.first_published(newest)),
            cpu_us=spent / messages * 1e6,
            load_rate=load.messages_per_s,
            duplicates=duplicates,
        )

    def _counted_in(
        self, gateway: Gateway, before: dict[str, int], messages: int, load: subprocess.Popen[str]
    ) -> float:
        """The moment (Unix seconds) at which the ledger in the database holds all messages of the load."""
        wanted = before.get("received", 0) + messages
        deadline = time.monotonic() + RUN_WITHIN
        while time.monotonic() < deadline:
            if gateway.ledger().get("received", 0) >= wanted:
                return time.time()
            if load.poll():
                sent(load, RUN_WITHIN)
            time.sleep(LOOK_EVERY)
        have = gateway.ledger().get("received", 0) - before.get("received", 0)
        raise Unavailable(f"only {have} of {messages} messages were in the ledger after {RUN_WITHIN:.0f} s")

    def _check(self, gateway: Gateway, before: dict[str, int], messages: int) -> int:
        """Every message was accepted once: how many copies the broker sent, which were recognised."""
        after = gateway.ledger()
        gained = {fate: count - before.get(fate, 0) for fate, count in after.items() if count != before.get(fate, 0)}
        duplicates = gained.get("duplicate", 0)
        if gained.get("accepted", 0) != messages or gained.get("received", 0) != messages + duplicates:
            self.problems.append(f"{gateway.setting.name}: {messages} messages were sent, the ledger says {gained}")
        return duplicates

    def _alarms(self, gateway: Gateway, broker: BrokerName, prefix: str) -> None:
        """From the publishing of an alarming message to its alert on the event stream."""
        options = self._options
        middles, worst, commits = [], [], []
        for number in range(options.runs):
            delays = self._alarm_run(gateway, self._folder / f"marks-{broker}-{number}.jsonl")
            middles.append(quantile(delays, 0.5))
            worst.append(quantile(delays, 0.99))
            commits.append(quantile(single_commits_ms(self._folder / f"commits-{broker}-{number}"), 0.99))
            self._say(
                f"{broker}: run {number + 1}, {len(delays)} alerts at {ALARM_RATE:.0f} messages/s: "
                f"p50 {middles[-1]:.1f} ms, p99 {worst[-1]:.1f} ms (one commit alone: p99 {commits[-1]:.1f} ms)"
            )
        self.figures.append(figure(f"{prefix}publish_to_alert_p50_ms", middles, "ms"))
        self.figures.append(figure(f"{prefix}publish_to_alert_p99_ms", worst, "ms", 25))
        self.figures.append(figure(f"{prefix}sqlite_single_commit_p99_ms", commits, "ms"))

    def _alarm_run(self, gateway: Gateway, file: Path) -> list[float]:
        """The delays of one run, in milliseconds."""
        messages = int(ALARM_RATE * self._options.alarm_seconds)
        alarms = Alarms(rate=ALARM_RATE, every=ALARM_EVERY, marks=file)
        before = gateway.ledger()
        watcher = Watcher(gateway.settings.api.port, gateway.token())
        watcher.start()
        try:
            with sending(gateway.mqtt_port, gateway.password, messages, ALARM_DEVICES, alarms) as process:
                self._counted_in(gateway, before, messages, process)
                sent(process, RUN_WITHIN)
            self._check(gateway, before, messages)
            noted = marks(alarms)
            deadline = time.monotonic() + 5.0
            while any(_delay(watcher, mark.device, mark.sent) is None for mark in noted):
                if time.monotonic() > deadline:
                    break
                time.sleep(LOOK_EVERY)
        finally:
            watcher.stop()
        found = [_delay(watcher, mark.device, mark.sent) for mark in noted]
        delays = [delay * 1000.0 for delay in found if delay is not None]
        if len(delays) < len(noted):
            self.problems.append(f"{len(noted) - len(delays)} of {len(noted)} alarms were not told on the event stream")
        if not delays:
            raise Unavailable("no alert came on the event stream: see the logs of core and API")
        return delays

    def _measure_rules(self, broker: BrokerName) -> None:
        """What a message costs with few rules and with many that it cannot meet, in turn."""
        options = self._options
        few = Setting(name="rules-few", broker=broker, devices=options.devices, rules=FEW_RULES)
        many = msgspec.structs.replace(few, name="rules-many", idle_rules=MANY_RULES - FEW_RULES)
        self._say(f"{broker}: starting gateways with {FEW_RULES} and with {MANY_RULES} rules")
        ratios = []
        with running(self._folder, few) as small, running(self._folder, many) as large:
            for gateway in (small, large):
                self._durable(gateway, options.devices * 2)
            for number in range(options.runs):
                costs = [self._durable(gateway, options.messages).cpu_us for gateway in (small, large)]
                ratios.append(costs[1] / costs[0])
                self._say(
                    f"{broker}: run {number + 1}, {costs[0]:.1f} us with {FEW_RULES} rules, "
                    f"{costs[1]:.1f} us with {MANY_RULES}"
                )
        self.figures.append(figure("cost_ratio_5000_to_10_rules", ratios, "", 1.3))


def _delay(watcher: Watcher, device: str, published: float) -> float | None:
    """Seconds from an alarm's publishing to the first word of it."""
    return next((at - published for at in list(watcher.heard.get(device, ())) if at >= published), None)


def ingest(options: Options, say: Say) -> Report:
    """Measures all of it. Raises `Unavailable` where something cannot be started or does not get through."""
    with _folder(options.folder) as folder:
        machine = describe(folder)
        if machine.disk in ("tmpfs", "ramfs"):
            say(f"{folder} is in memory ({machine.disk}): the figures say nothing of a disk; choose one with --folder")
        bench = Bench(options, folder, say)
        bench.run()
        return Report(machine=machine, figures=bench.figures, problems=bench.problems)


@contextmanager
def _folder(parent: Path | None) -> Iterator[Path]:
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="gatehouse-bench-", dir=parent, ignore_cleanup_errors=True)
        yield Path(stack.enter_context(made))
