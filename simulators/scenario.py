"""The scenario file: what it may say, read with line numbers, and errors that name file, line and key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import msgspec
import yaml

from simulators.plant import SYSTEMS

Model = Literal["lift", "door", "lane", "meter", "plant"]
Wire = Literal["native", "liftfault", "vzenith", "vzenith-old", "dlt645", "tasmota"]
Place = Literal["entrance", "basement", "roof", "plant"]
Terminal = Literal["own", "gateway"]
Utility = Literal["electricity", "water", "gas", "heat"]
WIRES: Mapping[str, tuple[str, ...]] = {
    "lift": ("native", "liftfault"),
    "door": ("native",),
    "lane": ("vzenith", "vzenith-old"),
    "meter": ("dlt645", "tasmota", "native"),
    "plant": ("native",),
}
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_ID = re.compile(r"^[A-Za-z0-9_-]{1,40}$")


class ScenarioError(ValueError):
    """A scenario cannot be used. The message says which file, line and key, and what to write instead."""

    def __init__(self, file: str, line: int, key: str, problem: str, suggestion: str = "") -> None:
        where = f"{file}:{line}: {key}: " if key else f"{file}:{line}: "
        super().__init__(where + problem + (f"; {suggestion}" if suggestion else ""))
        self.file, self.line, self.key = file, line, key


class Words(msgspec.Struct, forbid_unknown_fields=True):
    """A name in both languages."""

    en: str
    zh: str

    def plain(self) -> dict[str, str]:
        """As the registration wants it."""
        return {"en": self.en, "zh": self.zh}


class SiteSpec(msgspec.Struct, forbid_unknown_fields=True):
    """The community."""

    id: str
    name: Words
    timezone: str = "Asia/Shanghai"


class ZoneSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A part of the site that is no building: a gate, a car park."""

    id: str
    name: Words


class BuildingSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A building of `units` stairwells with `floors` floors each."""

    id: str
    name: Words
    floors: int = 18
    units: int = 2


class ItemSpec(msgspec.Struct, forbid_unknown_fields=True):
    """One device named by hand."""

    id: str
    name: Words
    zone: str | None = None
    direction: Literal["in", "out"] = "in"


class GroupSpec(msgspec.Struct, forbid_unknown_fields=True):
    """Devices of one model: `per_unit` or `per_building` over `buildings` (all if left out), or listed as `items`."""

    model: Model
    wire: Wire = "native"
    buildings: list[str] | None = None
    per_unit: int = 0
    per_building: int = 0
    items: list[ItemSpec] = []
    place: Place = "entrance"
    terminal: Terminal | None = None
    utility: Utility = "electricity"
    system: str = ""
    behind: int = 32
    every: str | int | float = "30s"
    per_day: float = 60.0


class IncidentSpec(msgspec.Struct, forbid_unknown_fields=True, rename={"lasts": "for", "options": "with"}):
    """Something that goes wrong. Several devices are taken in turn, one each time it comes."""

    id: str
    at: str | int
    device: str | list[str]
    fault: str
    lasts: str | int | float
    options: dict[str, float] = {}


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """A whole scenario. `start` and `HH:MM` are simulated times; `every`, `for`, `cycle`, `+30s` are real time."""

    name: Words
    site: SiteSpec
    buildings: list[BuildingSpec] = []
    zones: list[ZoneSpec] = []
    devices: list[GroupSpec] = []
    incidents: list[IncidentSpec] = []
    seed: int = 1
    start: str | int = "08:00"
    speed: float = 1.0
    cycle: str | int | float | None = None
    residents_per_building: int = 20
    chaos: dict[str, float] = {}


_STRUCTS: Mapping[str, type[msgspec.Struct]] = {
    "$": Scenario,
    "$.name": Words,
    "$.site": SiteSpec,
    "$.site.name": Words,
    "$.zones[]": ZoneSpec,
    "$.zones[].name": Words,
    "$.buildings[]": BuildingSpec,
    "$.buildings[].name": Words,
    "$.devices[]": GroupSpec,
    "$.devices[].items[]": ItemSpec,
    "$.devices[].items[].name": Words,
    "$.incidents[]": IncidentSpec,
}


class Source:
    """A parsed file with the line of every key, to point at."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._lines: dict[str, int] = {}
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ScenarioError(file, line, "", f"not YAML: {error.problem or error.context}") from error
        except yaml.YAMLError as error:
            raise ScenarioError(file, 1, "", f"not YAML: {error}") from error
        if not isinstance(node, yaml.MappingNode):
            raise ScenarioError(file, 1, "", "a scenario is a mapping with name, site, devices...")
        self.data = self._plain(node, "$")

    def error(self, path: str, problem: str, suggestion: str = "") -> ScenarioError:
        """An error at `path` (`$.devices[3].model`), or at the nearest place above it that has a line."""
        place = path
        while place not in self._lines and place != "$":
            place = place[: max(place.rfind("."), place.rfind("["), 1)]
        key = path.removeprefix("$").lstrip(".")
        return ScenarioError(self.file, self._lines.get(place, 1), key, problem, suggestion)

    def _plain(self, node: yaml.Node, path: str) -> Any:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            result: dict[str, Any] = {}
            for key, value in node.value:
                name = str(key.value)
                if name in result:
                    raise ScenarioError(self.file, key.start_mark.line + 1, name, "given twice")
                self._lines[f"{path}.{name}"] = key.start_mark.line + 1
                result[name] = self._plain(value, f"{path}.{name}")
            return result
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(value, f"{path}[{index}]") for index, value in enumerate(node.value)]
        return yaml.SafeLoader("").construct_object(node)


def find(name: str) -> tuple[str, str]:
    """File name and text of a scenario given by path or by the name of a shipped one (`demo`)."""
    path = Path(name)
    if path.is_file():
        try:
            return name, path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ScenarioError(name, 1, "", f"cannot be read: {error}") from error
    folder = files("simulators.scenarios")
    shipped = sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    if name in shipped:
        return f"{name}.yaml", (folder / f"{name}.yaml").read_text(encoding="utf-8")
    raise ScenarioError(name, 1, "", "no such file", f"shipped scenarios are: {', '.join(shipped)}")


def parse(file: str, text: str) -> tuple[Scenario, Source]:
    """The checked scenario and its source for later errors. Raises `ScenarioError`."""
    source = Source(file, text)
    try:
        scenario = msgspec.convert(source.data, Scenario)
    except msgspec.ValidationError as error:
        raise _explain(source, str(error)) from error
    _check(scenario, source)
    return scenario, source


def duration(value: str | int | float, source: Source, path: str) -> float:
    """Seconds of `90s`, `10m`, `1h`, or of a bare number."""
    if isinstance(value, int | float):
        seconds = float(value)
    else:
        match = _DURATION.match(value.strip())
        if match is None:
            raise source.error(path, f"{value!r} is no duration", "write 500ms, 30s, 10m or 2h")
        seconds = float(match[1]) * _UNIT_S[match[2]]
    if seconds <= 0:
        raise source.error(path, f"{value!r} is not a positive duration")
    return seconds


def time_of_day(value: str | int, source: Source, path: str) -> float:
    """Seconds since midnight of `HH:MM`. YAML reads an unquoted 20:30 as the number 1230, its minutes."""
    if isinstance(value, int):
        minutes = value
    else:
        match = re.fullmatch(r"(\d{1,2}):(\d{2})", value.strip())
        minutes = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
    if not 0 <= minutes < 24 * 60:
        raise source.error(path, f"{value!r} is no time of day", 'write "HH:MM", or "+30s" for a real delay')
    return minutes * 60.0


def nearest(word: str, known: Sequence[str]) -> str:
    """`did you mean 'x'?`, or the list of what there is."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"there is {shown}" if known else ""


def _explain(source: Source, message: str) -> ScenarioError:
    """msgspec's message as one with a line and a suggestion."""
    problem, _, place = message.partition(" - at `")
    path = place.rstrip("`") or "$"
    shape = re.sub(r"\[\d+\]", "[]", path)
    names = re.search(r"unknown field `(.+?)`", problem)
    if names and shape in _STRUCTS:
        known = [field.encode_name for field in msgspec.structs.fields(_STRUCTS[shape])]
        return source.error(f"{path}.{names[1]}", "no such key", nearest(names[1], known))
    if "Invalid enum value" in problem:
        owner, _, key = shape.rpartition(".")
        word = problem.removeprefix("Invalid enum value ").strip("'")
        hint = get_type_hints(_STRUCTS[owner]).get(key) if owner in _STRUCTS else None
        words = [w for w in (*get_args(hint), *(v for a in get_args(hint) for v in get_args(a))) if isinstance(w, str)]
        return source.error(path, f"{word!r} is not known", nearest(word, words))
    return source.error(path, problem[:1].lower() + problem[1:])


def _check(scenario: Scenario, source: Source) -> None:
    """What types cannot say: ids, references, models and wires that fit."""
    if not scenario.speed > 0:
        raise source.error("$.speed", "the speed must be greater than 0", "60 lets a day pass in 24 minutes")
    for path, identifier in _ids(scenario):
        if not _ID.match(identifier):
            raise source.error(path, f"{identifier!r} is no id", "use 1 to 40 letters, digits, '-' and '_'")
    buildings = [building.id for building in scenario.buildings]
    zones = [*buildings, *(zone.id for zone in scenario.zones)]
    for index, group in enumerate(scenario.devices):
        path = f"$.devices[{index}]"
        if group.wire not in WIRES[group.model]:
            spoken = nearest("", WIRES[group.model])
            raise source.error(f"{path}.wire", f"a {group.model} does not speak {group.wire}", spoken)
        if group.model == "meter" and group.wire in ("dlt645", "tasmota") and group.utility != "electricity":
            raise source.error(f"{path}.utility", f"{group.wire} meters measure electricity", "use wire: native")
        if group.model == "meter" and group.wire == "native" and group.utility == "electricity":
            raise source.error(f"{path}.utility", "native meters here measure water, gas or heat", "use wire: dlt645")
        if (group.model == "plant") != bool(group.system) or (group.system and group.system not in SYSTEMS):
            problem = f"no plant is called {group.system!r}" if group.system else "plant has a system"
            problem = problem if group.model == "plant" else f"a {group.model} has no system"
            raise source.error(f"{path}.system", problem, nearest(group.system, list(SYSTEMS)))
        if group.model == "plant" and (group.per_unit or group.per_building):
            raise source.error(path, "plant is named by hand", "give items")
        for number, name in enumerate(group.buildings or []):
            if name not in buildings:
                raise source.error(f"{path}.buildings[{number}]", f"no building {name!r}", nearest(name, buildings))
        for number, item in enumerate(group.items):
            if item.zone is not None and item.zone not in zones:
                raise source.error(f"{path}.items[{number}].zone", f"no zone {item.zone!r}", nearest(item.zone, zones))
        if not (group.per_unit or group.per_building or group.items):
            raise source.error(path, "makes no device", "give per_unit, per_building or items")


def _ids(scenario: Scenario) -> list[tuple[str, str]]:
    found = [("$.site.id", scenario.site.id)]
    found += [(f"$.zones[{i}].id", zone.id) for i, zone in enumerate(scenario.zones)]
    found += [(f"$.buildings[{i}].id", building.id) for i, building in enumerate(scenario.buildings)]
    found += [(f"$.incidents[{i}].id", incident.id) for i, incident in enumerate(scenario.incidents)]
    for i, group in enumerate(scenario.devices):
        found += [(f"$.devices[{i}].items[{n}].id", item.id) for n, item in enumerate(group.items)]
    return found
