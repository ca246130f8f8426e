"""The furniture of the stand-in's world: 翠湖花园, an ordinary evening with an entrapment in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.page.world import World

Json = dict[str, Any]
SITE = "greenlake"


def plans() -> list[Json]:
    """The plans there are."""
    titles = (("elevator-entrapment", "Lift entrapment", "电梯困人应急预案", 7), ("fire", "Fire", "火灾应急预案", 9))
    return [
        {"id": id, "title": {"en": en, "zh": zh}, "steps": [{"id": str(n), "title": {}} for n in range(steps)]}
        for id, en, zh, steps in titles
    ]


def furnish(world: World) -> None:
    """Sites, zones, devices, and the things that are open this evening."""
    world.tables["sites"][SITE] = {"id": SITE, "name": {"en": "Green Lake Gardens", "zh": "翠湖花园"}}
    _zone(world, "gates", "Gates", "出入口")
    for building in range(1, 7):
        _zone(world, f"b{building}", f"Building {building}", f"{building}号楼")
        _zone(world, f"b{building}-lobby", "Lobby", "大堂", f"b{building}")
        for lift in (1, 2):
            number = (building - 1) * 2 + lift
            running = {"floor": 3 + number, "door": "closed", "motion": "stopped" if lift == 1 else "up",
                "in_door_zone": lift == 1,
                       "occupied": lift == 2, "load_kg": 140 * lift, "speed_mps": 0 if lift == 1 else 1.7,
                       "mode": "normal", "machine_room_c": 24.5}  # fmt: skip
            device(
                world,
                f"lift-{number:02d}",
                "elevator",
                f"Lift {number}",
                f"{number}号电梯",
                f"b{building}",
                {"elevator.status": running},
            )
        for door in range(1, 5):
            id = f"door-{building}{door:02d}"
            state = {"access.door": {"state": "closed", "locked": True, "forced": False}}
            device(world, id, "door", f"Door {building}-{door}", f"{building}-{door} 门", f"b{building}-lobby", state)
        for meter in range(1, 5):
            id = f"meter-{building}{meter:02d}"
            reading = {
                "utility": "electricity",
                "energy_kwh": 10_233.4 + meter * 7,
                "power_w": 412 + 31 * meter,
                "voltage_v": 229.6,
            }
            device(
                world,
                id,
                "meter",
                f"Meter {building}-{meter}",
                f"{building}-{meter} 电表",
                f"b{building}",
                {"meter.reading": reading},
            )
    for gate in (1, 2, 3):
        barrier = {"position": "down", "loop_occupied": False, "obstructed": False, "fault": False, "connected": True}
        device(
            world,
            f"barrier-{gate}",
            "barrier",
            f"Barrier {gate}",
            f"{gate}号道闸",
            "gates",
            {"parking.barrier": barrier},
        )
    world.tables["devices"]["door-302"]["online"] = False
    world.ledger |= {
        "accepted": 184_213,
        "duplicate": 96,
        "late": 12,
        "unknown_device": 4,
        "undecodable": 2,
        "ignored": 611,
    }
    _evening(world)
    _leftovers(world)


def _zone(world: World, id: str, en: str, zh: str, parent: str | None = None) -> None:
    kind = "building" if parent is None else "floor"
    world.tables["zones"][id] = {"id": id, "site": SITE, "name": {"en": en, "zh": zh}, "kind": kind, "parent": parent}


def device(world: World, id: str, type: str, en: str, zh: str, zone: str | None, state: dict[str, Json]) -> Json:
    """Registers a device that spoke a few seconds ago."""
    told = {kind: {"data": data, "received": world.time(6), "time": world.time(7)} for kind, data in state.items()}
    record = {
        "id": id, "site": SITE, "adapter": "native", "external_id": f"SN-{id.upper()}", "type": type,
        "name": {"en": en, "zh": zh},
        "zone": zone, "building": None, "connected_via": None, "powered_by": None, "report_interval": 0,
        "enabled": True,
        "commands": ["open", "lock", "unlock", "raise", "lower", "keep_open", "recall", "release", "announce"],
        "online": True, "last_at": world.time(6), "state": told, "version": 1,
    }  # fmt: skip
    world.tables["devices"][id] = record
    return record


def events_of(world: World, id: str) -> list[Json]:
    """The last events of a device: its state, a few times over."""
    states = world.tables["devices"].get(id, {}).get("state", {})
    return [
        {
            "id": f"{id}-{n}",
            "device": id,
            "kind": kind,
            "time": world.time(6 + 60 * n),
            "received": world.time(6 + 60 * n),
            "data": told["data"],
        }
        for kind, told in states.items()
        for n in range(4)
    ]


def run(world: World, plan: str, device: str | None = None, drill: bool = False, alert: str | None = None) -> Json:
    """A plan two minutes into its run."""
    steps = [
        ("announce", "Play the announcement in the car", "轿厢内播放安抚广播", True, "", "done", None),
        (
            "call-car",
            "Speak with the people in the car",
            "通过五方对讲联系被困人员",
            False,
            "control_room",
            "overdue",
            60,
        ),
        ("notify", "Call the maintenance company", "通知电梯维保单位", False, "control_room", "active", 180),
        ("guard", "Someone is on the way to the landing", "安排人员赶往现场", False, "guard", "active", 180),
        (
            "power-off",
            "The lift's mains switch is off and locked",
            "切断电梯主电源并挂牌上锁",
            False,
            "maintainer",
            "waiting",
            1800,
        ),
        ("release", "Everybody is out", "被困人员全部救出", False, "maintainer", "waiting", 1800),
    ]
    advice = {
        "en": "Ask how many, whether anyone is ill, old, pregnant or a child. Tell them not to force the doors.",
        "zh": "询问人数、有无老人、儿童、孕妇及身体不适者，告知勿扒门、救援人员已出发。",
    }
    shown = []
    for id, en, zh, automatic, role, state, within in steps:
        begun = state != "waiting"
        shown.append({
            "id": id, "title": {"en": en, "zh": zh}, "automatic": automatic, "role": role, "state": state,
            "after": [], "within": within,
            "started_at": world.time(130) if begun else None,
            "finished_at": world.time(128) if state == "done" else None,
            "done_by": "rule:elevator.entrapment" if automatic else None, "note": "",
            "complete_by": world.time(130 - within) if begun and within else None, "commands": [], "advice": advice,
            "command": {},
        })  # fmt: skip
    log = [{"by": "rule:elevator.entrapment", "entry_at": world.time(130), "action": "started", "text": ""}]
    return {
        "id": world.number("PR"), "plan": plan, "site": SITE, "title": {"en": "Lift entrapment",
        "zh": "电梯困人应急预案"}, "state": "running",
        "drill": drill, "alert": alert, "device": device, "zone": None, "started_at": world.time(130),
        "started_by": "rule:elevator.entrapment",
        "finished_at": None, "steps": shown, "log": log, "version": 1,
    }  # fmt: skip


def order(world: World, title: Json, device: str | None, state: str = "open", opened: float = 0.0, **more: Any) -> Json:
    """A work order opened some seconds ago, to be answered in 15 minutes and done in 2 hours."""
    number = world.number("WO")
    return {
        "id": number, "number": f"WO-20261122-{number[-4:]}", "site": SITE, "title": title, "state": state,
        "source": "rule", "team": "elevator",
        "assignee": None if state == "open" else "user:li.wei", "priority": "high", "device": device, "zone": None,
        "alert": None, "rule": None,
        "scope": None, "needs_proof": True, "opened_at": world.time(opened), "opened_by": "rule:elevator.entrapment",
        "respond_by": world.time(opened - 900), "resolve_by": world.time(opened - 7200),
        "responded_at": None if state == "open" else world.time(opened - 60),
        "resolved_at": None, "closed_at": None, "respond_overdue": False, "resolve_overdue": False, "reopened": 0,
        "log": [{"by": "rule:elevator.entrapment", "entry_at": world.time(opened), "action": "opened", "text": ""}],
        "version": 1, **more,
    }  # fmt: skip


def schedules(world: World) -> list[Json]:
    """One by the calendar, one by running hours, one that failed and one that is paused."""
    plain: Json = {
        "site": SITE, "at": "0 9 1 * *", "counts": None, "devices": [], "team": "elevator", "plan": "", "points": 0,
        "last_at": world.time(86_400), "ran": 3, "missed": 0, "paused": "", "problem": "", "result": "", "totals": {},
    }  # fmt: skip
    nine = world.time(-40_000)
    running = {"kind": "water.pump", "field": "state", "value": "running", "every": 1_800_000.0, "running": True}
    return [
        {**plain, "id": "lift-monthly", "title": {"en": "Monthly lift maintenance", "zh": "电梯月度保养"},
         "does": "maintenance", "next_times": [nine], "missed": 1},
        {**plain, "id": "pumps", "title": {"en": "Pump service", "zh": "水泵保养"}, "does": "maintenance", "at": "",
         "counts": running, "totals": {"pump-1": 1_234_000.0}, "next_times": []},
        {**plain, "id": "fire-drill", "title": {"en": "Fire drill", "zh": "消防演练"}, "does": "drill",
         "next_times": [nine], "problem": "a drill of the plan 'fire' runs for 'b1' already"},
        {**plain, "id": "night-round", "title": {"en": "Night round", "zh": "夜间巡逻"}, "does": "patrol",
         "next_times": [], "paused": "holiday", "points": 2},
    ]  # fmt: skip


def rounds(world: World) -> list[Json]:
    """A round with a point of each state."""
    states = ("done", "missed", "late", "waiting")
    points = [
        {"id": f"p{index}", "title": {"en": f"Point {index}", "zh": f"{index}号点"}, "device": None,
         "from_at": world.time(1200), "until_at": world.time(-600), "state": state, "visited_at": None,
         "visited_by": "王强" if state in ("done", "late") else "", "in_order": state != "late", "result": "ok",
         "text": ""}
        for index, state in enumerate(states, 1)
    ]  # fmt: skip
    return [
        {"id": "rd-1", "schedule": "night-round", "site": SITE, "title": {"en": "Night round", "zh": "夜间巡逻"},
         "kind": "patrol", "state": "overdue", "ordered": True, "started_at": world.time(1200), "finished_at": None,
         "points": points, "version": 3},
    ]  # fmt: skip


def command(world: World, device: str, name: str) -> Json:
    """A command just requested."""
    return {
        "id": world.number("CM"), "site": SITE, "device": device, "name": name, "args": {}, "state": "pending",
        "by": "user:anna", "reason": "",
        "requested_at": world.time(), "sent_at": world.time(), "finished_at": None, "expires": world.time(-5),
        "detail": "", "alert": None,
        "plan_run": None, "version": 1, "needs_second": False, "second_by": None, "observation": "",
    }  # fmt: skip


def a_pass(world: World, value: str, name: str, **more: Any) -> Json:
    """A pass without an end."""
    return {
        "id": world.number("PA"), "site": SITE, "kind": "plate", "value": value, "name": name, "zones": [],
        "from_at": None, "until_at": None,
        "blocked": False, "visitor": False, "note": "", "created_at": world.time(), "created_by": "user:anna",
        "version": 1, **more,
    }  # fmt: skip


def _evening(world: World) -> None:
    trapped = {"motion": "stopped", "in_door_zone": False, "occupied": True, "floor": 7}
    alert = world.alert(
        "", "critical", 134, rule="elevator.entrapment", device="lift-05", zone="b3", building="b3", values=trapped,
        never_shelved=True,
        title={"en": "People trapped in Lift 5", "zh": "5号电梯困人"},
        reason={"en": "The car has stood between floors with people inside for 30 seconds.",
            "zh": "轿厢在非平层位置停止且有人，已持续 30 秒。"},
        advice={
            "en": "Speak with the people in the car now. Call the maintainer; no door is opened with power on.",
                "zh": "立即通过对讲安抚被困人员；通知维保单位；未断电前任何人不得开门。"},
        consequence={"en": "Panic, injury; the rescue must begin within 30 minutes.",
            "zh": "乘客恐慌、受伤；须在 30 分钟内开始施救。"},
        evidence=[{"seq": 4100 + n, "device": "lift-05", "kind": "elevator.status",
            "received": world.time(170 - 10 * n),
                   "data": {"floor": 7, "motion": "stopped", "door": "closed", "occupied": True}} for n in range(4)],
    )  # fmt: skip
    plan = world.put("plan-runs", run(world, "elevator-entrapment", "lift-05", alert=alert["id"]))
    ticket = world.put(
        "work-orders", order(world, alert["title"], "lift-05", "accepted", 130, alert=alert["id"], priority="critical")
    )
    world.put("alerts", {**alert, "plan_run": plan["id"], "work_order": ticket["id"], "version": 2})
    rows: list[tuple[str, str, str, float, Json]] = [
        ("Door 2-1 was forced open", "2-1 门被强行打开", "high", 1260, {"device": "door-201"}),
        ("Barrier 2 does not come down", "2号道闸无法落杆", "high", 340, {"device": "barrier-2", "count": 3}),
        ("Door 3-2 has been silent for 10 min", "3-2 门超过10分钟无上报", "medium", 610, {"device": "door-302"}),
        ("Door 5-4 is held open", "5-4 门长时间未关", "medium", 95, {"device": "door-504"}),
        ("Water runs at night in Meter 4-2", "4-2 电表夜间持续用量", "low", 5400, {"device": "meter-402", "count": 12}),
        ("Battery of Door 6-3 is low", "6-3 门电池电量低", "low", 40_000, {"device": "door-603"}),
    ]
    for en, zh, severity, ago, more in rows:
        world.alert(
            "", severity, ago, title={"en": en, "zh": zh}, zone=world.tables["devices"][more["device"]]["zone"], **more
        )
    taken = [
        alert for alert in world.tables["alerts"].values() if alert["device"] in ("door-201", "meter-402", "door-603")
    ]
    for each in taken:
        seen = {
            "state": "acknowledged",
            "acknowledged_by": "user:li.wei",
            "acknowledged_at": world.time(1200),
            "version": 2,
        }
        world.put("alerts", {**each, **seen})
    world.alert("", "medium", 900, title={"en": "Lift 9 stopped outside a floor", "zh": "9号电梯非平层停梯"},
        device="lift-09", zone="b5",
                state="returned", active=False, returned_at=world.time(800))  # fmt: skip
    shelving = {
        "by": "user:li.wei",
        "reason": "Painter works here until noon",
        "from_at": world.time(1000),
        "until_at": world.time(-5000),
        "kind": "shelved",
    }
    world.alert(
        "",
        "medium",
        4000,
        title={"en": "Door 1-3 is held open", "zh": "1-3 门长时间未关"},
        device="door-103",
        zone="b1-lobby",
        shelving=shelving,
    )


def _leftovers(world: World) -> None:
    world.put(
        "work-orders",
        order(
            world,
            {"en": "Barrier 2 does not come down", "zh": "2号道闸无法落杆"},
            "barrier-2",
            "open",
            1100,
            team="parking",
        ),
    )
    asked = {
        "source": "resident", "kind": "complaint", "owner": "user:anna", "text": "Third night without light",
        "tracking": "R7K2M9Q4X1B5C", "requester": {"name": "Zh***g", "phone": "13********8", "address": "1-****01"},
        "pause": {"reason": "part", "paused_at": world.time(600)}, "parts": [{"name": "LED tube", "quantity": 2}],
        "cost_cents": 4550, "files": [{"sha256": "0" * 64, "name": "before.jpg"}], "founded": True,
        "needs_proof": False, "team": "facility", "arrived_at": world.time(900), "visit_wanted": True,
    }  # fmt: skip
    title = {"en": "Stairwell dark in building 3", "zh": "3号楼楼道无灯"}
    world.put("work-orders", order(world, title, None, "in_progress", 4000.0, **asked))
    for state, en, zh, device, opened in (
        ("assigned", "Door 3-2 is silent", "3-2 门无上报", "door-302", 3000.0),
        ("in_progress", "Replace the battery of Door 6-3", "更换 6-3 门电池", "door-603", 6000.0),
        ("done", "Lift 9: clean the door tracks", "9号电梯清洁门轨", "lift-09", 7000.0),
    ):
        world.put(
            "work-orders", order(world, {"en": en, "zh": zh}, device, state, opened, priority="medium", team="facility")
        )
    for value, name, more in (
        ("沪A****1", "陈**", {}),
        ("沪B****9", "王**", {"visitor": True, "until_at": world.time(-7200)}),
        ("粤E****3", "李**", {"blocked": True}),
    ):
        world.put("passes", a_pass(world, value, name, **more))
    letter = {"adapter": "elevator", "device": "", "place": "$.floor", "state": "kept", "payload": None}
    world.lists["dead-letters"] = [
        {
            **letter,
            "id": 1,
            "received": world.time(300),
            "fate": "undecodable",
            "topic": "lift/up/7/LiftFault",
            "reason": "expected a whole number, got 'B1x'",
            "size": 214,
        },
        {
            **letter,
            "id": 2,
            "received": world.time(900),
            "fate": "oversized",
            "topic": "mqtt/face/1408801/Rec",
            "place": "",
            "reason": "1,204,113 bytes; the limit is 262,144",
            "size": 1_204_113,
        },
    ]
    world.lists["quarantine"] = [
        {
            "adapter": "face-terminal",
            "external_id": "1408801",
            "site": SITE,
            "first_at": world.time(4000),
            "last_at": world.time(40),
            "messages": 4,
            "topic": "mqtt/face/1408801/Rec",
        }
    ]
