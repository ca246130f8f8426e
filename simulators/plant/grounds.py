"""Cameras, patrols, bins, gas, weather, gardens: what watches and keeps the grounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from simulators.plant.device import PlantDevice, Told, towards
from simulators.wire import Identity, Now

SEEN_EVERY_S = 12.0
ROUTE = 6


class Camera(PlantDevice):
    """A camera with its recording, and what it sees."""

    faults: ClassVar[Mapping[str, str]] = {
        "lost": "its picture is lost",
        "covered": "somebody covers it",
        "disk": "its disk has failed",
        "not_recording": "it does not record",
        "intrusion": "somebody climbs over the wall",
        "loitering": "somebody loiters",
        "smoke": "smoke rises",
        "person_fallen": "somebody lies on the ground",
        "falling_object": "something is thrown from a window",
        "ebike": "an e-bike is pushed into the lift",
    }
    _SEES: ClassVar[Mapping[str, tuple[str, float]]] = {
        "intrusion": ("climbing", SEEN_EVERY_S),
        "loitering": ("loitering", 120.0),
        "smoke": ("smoke", SEEN_EVERY_S),
        "person_fallen": ("person_fallen", SEEN_EVERY_S),
        "falling_object": ("falling_object", 60.0),
        "ebike": ("ebike", SEEN_EVERY_S),
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self._seen_at: dict[str, float] = {}

    def advance(self, seconds: float, now: Now) -> None:
        """Nothing of it moves."""

    def tell(self, now: Now) -> Sequence[Told]:
        """`video.health`."""
        signal = "lost" if self.suffers("lost") else "covered" if self.suffers("covered") else "ok"
        disk = "failed" if self.suffers("disk") else "ok"
        data = {"signal": signal, "recording": not self.suffers("not_recording"), "disk": disk, "retained_d": 31}
        return [("video.health", data)]

    def happen(self, now: Now) -> Sequence[Told]:
        """`video.event`, again and again while it is in the picture."""
        said: list[Told] = []
        for fault, (event, every) in self._SEES.items():
            if not self.suffers(fault):
                self._seen_at.pop(fault, None)
            elif now.wall - self._seen_at.get(fault, -every) >= every:
                self._seen_at[fault] = now.wall
                said.append(("video.event", {"event": event, "score_pct": 91.0, "area": "garden"}))
        return said


class PatrolPoint(PlantDevice):
    """A point that somebody touches once in its interval."""

    faults: ClassVar[Mapping[str, str]] = {
        "missed": "nobody comes",
        "finding": "what is inspected there is not in order",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self._visit = 0.0

    def advance(self, seconds: float, now: Now) -> None:
        """Nothing of it moves."""

    def tell(self, now: Now) -> Sequence[Told]:
        """A point has no state."""
        return ()

    def happen(self, now: Now) -> Sequence[Told]:
        """`patrol.checkin`."""
        if now.wall < self._visit:
            return ()
        self._visit = now.wall + self._every
        if self.suffers("missed"):
            return ()
        data: dict[str, object] = {"point": self.id, "method": "nfc", "late_min": 0, "result": "ok"}
        if self.suffers("finding"):
            data |= {"result": "abnormal", "finding": "handrail loose"}
        return [("patrol.checkin", data)]


class PatrolReader(PlantDevice):
    """A guard's reader on its way round: one point in each interval."""

    faults: ClassVar[Mapping[str, str]] = {
        "out_of_order": "every other point is left out",
        "late": "the round is behind its plan",
        "round_overdue": "the round is not finished",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self._visit = 0.0
        self._position = 0
        self._overdue = False

    def advance(self, seconds: float, now: Now) -> None:
        """Nothing of it moves."""

    def tell(self, now: Now) -> Sequence[Told]:
        """A reader has no state."""
        return ()

    def happen(self, now: Now) -> Sequence[Told]:
        """`patrol.checkin`, and the state of the round when it changes."""
        said: list[Told] = []
        overdue = self.suffers("round_overdue")
        if overdue != self._overdue:
            self._overdue = overdue
            state = {"state": "overdue", "missed": 2} if overdue else {"state": "completed", "missed": 0}
            said.append(("patrol.round", {"route": "night", "points": ROUTE, **state}))
        if now.wall >= self._visit:
            self._visit = now.wall + self._every
            self._position = (self._position + (2 if self.suffers("out_of_order") else 1) - 1) % ROUTE + 1
            late = 25 if self.suffers("late") else 0
            data = {"route": "night", "point": f"point {self._position}", "position": self._position, "late_min": late}
            said.append(("patrol.checkin", {**data, "method": "ble"}))
        return said


class Bin(PlantDevice):
    """A bin that fills up in two days and is emptied in the morning."""

    faults: ClassVar[Mapping[str, str]] = {
        "fire": "somebody throws hot ash into it",
        "full": "nobody empties it",
        "tipped": "it lies on its side",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.inside_c = 22.0

    def advance(self, seconds: float, now: Now) -> None:
        """Ash glows within minutes."""
        self.inside_c = towards(self.inside_c, 180.0 if self.suffers("fire") else 22.0, seconds, 300.0)

    def tell(self, now: Now) -> Sequence[Told]:
        """`waste.bin`."""
        fill = 96.0 if self.suffers("full") else 10.0 + 2.0 * now.hour
        data = {"fill_pct": round(fill, 1), "temperature_c": round(self.inside_c, 1)}
        return [("waste.bin", {**data, "smoke": self.inside_c > 90.0, "tilted": self.suffers("tipped")})]


class GasDetector(PlantDevice):
    """A detector for natural gas; its two alarms are at 10 and 25 % of the explosive limit."""

    faults: ClassVar[Mapping[str, str]] = {
        "leak": "gas escapes",
        "trace": "a joint weeps",
        "fault": "its sensor is worn out",
    }

    def __init__(self, identity: Identity, seed: object, every: float) -> None:
        super().__init__(identity, seed, every)
        self.lel_pct = 0.0

    def advance(self, seconds: float, now: Now) -> None:
        """A room fills within minutes."""
        level = 60.0 if self.suffers("leak") else 15.0 if self.suffers("trace") else 0.0
        self.lel_pct = towards(self.lel_pct, level, seconds, 240.0)

    def tell(self, now: Now) -> Sequence[Told]:
        """`environment.gas`."""
        alarm = "high" if self.lel_pct > 25.0 else "low" if self.lel_pct > 10.0 else "none"
        alarm = "fault" if self.suffers("fault") else alarm
        return [("environment.gas", {"gas": "methane", "alarm": alarm, "lel_pct": round(self.lel_pct, 1)})]


class Weather(PlantDevice):
    """A weather station that hears the air, too."""

    faults: ClassVar[Mapping[str, str]] = {
        "cloudburst": "it pours",
        "gale": "a gale blows",
        "dust": "the air is full of dust",
    }

    def advance(self, seconds: float, now: Now) -> None:
        """Its weather comes at once."""

    def tell(self, now: Now) -> Sequence[Told]:
        """`environment.reading`."""
        data = {
            "temperature_c": 18.0,
            "rain_mmh": 46.0 if self.suffers("cloudburst") else 0.0,
            "gust_mps": 24.0 if self.suffers("gale") else 4.0,
            "pm25_ugm3": 210.0 if self.suffers("dust") else 28.0,
        }
        return [("environment.reading", data)]


class Irrigation(PlantDevice):
    """A lawn that is watered from four to six in the morning."""

    faults: ClassVar[Mapping[str, str]] = {
        "leak": "its valve leaks",
        "no_water": "its stop cock is closed",
        "runs": "it waters whatever the hour and the weather",
    }
    switches: ClassVar[Mapping[str, bool]] = {"start": True, "stop": False}

    def advance(self, seconds: float, now: Now) -> None:
        """Nothing of it moves."""

    def tell(self, now: Now) -> Sequence[Told]:
        """`irrigation.status`."""
        dry = self.suffers("no_water")
        itself = 4.0 <= now.hour < 6.0 or self.suffers("runs") or dry
        running = itself if self.switched is None else self.switched
        flow = 0.0 if dry and running else 38.0 if running else 14.0 if self.suffers("leak") else 0.0
        return [("irrigation.status", {"running": running, "flow_lpm": flow})]
