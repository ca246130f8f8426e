"""People and rosters: who belongs to which team, how they are reached, and who is on duty at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from gateway.errors import Conflict, GatehouseError, Invalid, NotFound
from gateway.model import Actor, Cover, Person, Role, Roster, Slot
from gateway.model.duty import DAYS
from gateway.services.arguments import NAME, Arguments
from gateway.services.calendar import Duty, gaps, minute_of, on_duty
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.permission import demand, demand_fresh, demand_sight

#: The kinds of address a person may have. A channel says which one it needs.
ADDRESSES = ("email", "phone", "wecom", "dingtalk", "feishu")
_MOST, _MOST_SLOTS, _MOST_COVERS, _MOST_WEEKS = 2000, 200, 200, 12
_GAPS_NAMED = 5


class People:
    """Everybody who can be on duty, and the rosters of all sites."""

    def __init__(self, common: Common) -> None:
        self.all: dict[str, Person] = {}
        self.rosters: dict[str, Roster] = {}
        self._common = common

    def restore(self, people: Iterable[Person], rosters: Iterable[Roster]) -> None:
        """Takes over what is stored."""
        self.all = {person.id: person for person in people}
        self.rosters = {roster.id: roster for roster in rosters}

    def timezone(self, site: str) -> str:
        """The site's IANA zone; UTC for one that is not known."""
        known = self._common.world.sites.get(site)
        return known.timezone if known is not None else "UTC"

    def on_duty(self, site: str, wall: float) -> list[Duty]:
        """Who is on duty at the site, by all its rosters. People who left or are inactive are not."""
        zone = self.timezone(site)
        return [
            duty
            for roster in self.rosters.values()
            if roster.site == site
            for duty in on_duty(roster, wall, zone)
            if (person := self.all.get(duty.person)) is not None and person.serves(site)
        ]

    def at(self, site: str) -> list[Person]:
        """Everybody who works at the site, by name."""
        return sorted((one for one in self.all.values() if one.serves(site)), key=lambda one: one.id)


class PeopleActions:
    """The actions `person.*` and `roster.*`. All need the engineer's role."""

    def __init__(self, people: People, common: Common) -> None:
        self._people = people
        self._common = common

    def put_person(self, args: Arguments, actor: Actor, moment: Moment) -> Person:
        """`person.put{id, name?, teams?, roles?, skills?, addresses?, sites?, active?, version?}`: adds or replaces."""
        ident, version = args.account("id"), args.version()
        addresses = args.mapping("addresses")
        person = Person(
            id=ident,
            name=args.maybe_text("name", NAME),
            teams=args.idents("teams", 20),
            roles=args.idents("roles", 20),
            skills=args.idents("skills", 50),
            addresses={kind: _address(kind, value) for kind, value in addresses.items()},
            sites=args.idents("sites", 1000),
            active=not args.given("active") or args.flag("active"),
        )
        args.end()
        demand(actor, Role.ENGINEER, "changing who is told")
        if actor.sites and not set(person.sites or ("",)) <= set(actor.sites):
            raise Invalid("sites", "name those of your own sites at which this person works")
        known = self._people.all.get(ident)
        if known is not None and actor.sites and not set(known.sites or ("",)) <= set(actor.sites):
            raise NotFound("person", ident)
        demand_fresh("person", ident, known.version if known is not None else 0, version)
        if known is None and len(self._people.all) >= _MOST:
            raise Conflict(f"there are {_MOST} people already: remove those who have left")
        person = replace(person, version=known.version + 1 if known is not None else 1)
        self._people.all[ident] = person
        moment.note(
            actor.name, "person.put", ident, teams=list(person.teams), roles=list(person.roles),
            addresses=sorted(person.addresses), active=person.active,
        )  # fmt: skip
        moment.out.put(person)
        return person

    def remove_person(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, str]:
        """`person.remove{id}`: refused while a roster names them, so that no gap opens unseen."""
        ident = args.account("id")
        args.end()
        person = self._people.all.get(ident)
        if person is None or (actor.sites and not set(person.sites or ("",)) <= set(actor.sites)):
            raise NotFound("person", ident)
        demand(actor, Role.ENGINEER, "removing a person")
        named = sorted(
            roster.id
            for roster in self._people.rosters.values()
            if any(ident in people for people in _named_in(roster))
        )
        if named:
            raise Conflict(
                f"'{ident}' stands in the roster {', '.join(named)}: replace them there first", rosters=named
            )
        del self._people.all[ident]
        moment.note(actor.name, "person.remove", ident)
        moment.out.remove(person)
        return {"id": ident}

    def put_roster(self, args: Arguments, actor: Actor, moment: Moment) -> Roster:
        """`roster.put{id?, site, team, slots, title?, continuous?, cycle_weeks?, cycle_from?, covers?, version?}`.

        A roster that must be continuous is refused with the times at which nobody is on duty.
        """
        ident, site, version = args.maybe_ident("id"), args.ident("site"), args.version()
        known = self._people.rosters.get(ident) if ident is not None else None
        if known is not None:
            demand_sight(actor, known.site, "roster", known.id)
        self._common.world.site(site, actor)
        demand(actor, Role.ENGINEER, "changing a roster")
        weeks = int(args.maybe_number("cycle_weeks", 1, _MOST_WEEKS) or 1)
        cycle_from = args.maybe_text("cycle_from", 10)
        if cycle_from:
            _require_date("cycle_from", cycle_from)
        roster = Roster(
            id=ident or self._common.ids.next("ro"),
            site=site,
            team=args.ident("team"),
            title=args.words("title") if args.given("title") else {},
            slots=tuple(self._slot(index, item, weeks) for index, item in enumerate(args.items("slots", _MOST_SLOTS))),
            covers=tuple(self._cover(index, item) for index, item in enumerate(args.items("covers", _MOST_COVERS))),
            cycle_weeks=weeks,
            cycle_from=cycle_from,
            continuous=not args.given("continuous") or args.flag("continuous"),
        )
        args.end()
        demand_fresh("roster", roster.id, known.version if known is not None else 0, version)
        missing = gaps(roster)
        if roster.continuous and missing:
            named = [gap.spoken(weeks) for gap in missing]
            more = f" and {len(named) - _GAPS_NAMED} more" if len(named) > _GAPS_NAMED else ""
            raise Invalid(
                "slots",
                f"nobody is on duty {', '.join(named[:_GAPS_NAMED])}{more}: fill the gap, or say continuous: false",
                gaps=named,
            )
        roster = replace(roster, version=known.version + 1 if known is not None else 1)
        self._people.rosters[roster.id] = roster
        moment.note(actor.name, "roster.put", roster.id, site=site, team=roster.team, gaps=len(missing) or None)
        moment.out.put(roster)
        return roster

    def cover(self, args: Arguments, actor: Actor, moment: Moment) -> Roster:
        """`roster.cover{roster, from_at, until_at, people, note?}`: these people stand in; past covers are dropped."""
        ident = args.ident("roster")
        item = {name: args.take(name) for name in ("from_at", "until_at", "people", "note")}
        args.end()
        roster = self._roster(ident, actor)
        cover = self._cover(0, {name: value for name, value in item.items() if value is not None})
        demand(actor, Role.ENGINEER, "changing a roster")
        kept = tuple(one for one in roster.covers if one.until_at > moment.wall)
        if len(kept) >= _MOST_COVERS:
            raise Conflict(f"the roster has {_MOST_COVERS} stand-ins to come already")
        roster = replace(roster, covers=(*kept, cover), version=roster.version + 1)
        self._people.rosters[ident] = roster
        moment.note(
            actor.name, "roster.cover", ident, people=list(cover.people), from_at=cover.from_at, until_at=cover.until_at
        )
        moment.out.put(roster)
        return roster

    def remove_roster(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, str]:
        """`roster.remove{roster}`."""
        ident = args.ident("roster")
        args.end()
        roster = self._roster(ident, actor)
        demand(actor, Role.ENGINEER, "removing a roster")
        del self._people.rosters[ident]
        moment.note(actor.name, "roster.remove", ident)
        moment.out.remove(roster)
        return {"id": ident}

    def _roster(self, ident: str, actor: Actor) -> Roster:
        roster = self._people.rosters.get(ident)
        if roster is None:
            raise NotFound("roster", ident)
        demand_sight(actor, roster.site, "roster", ident)
        return roster

    def _slot(self, index: int, item: object, weeks: int) -> Slot:
        with _Inside(f"slots[{index}]", item) as args:
            days = tuple(str(day) for day in args.items("days", 7))
            for day in days:
                if day not in DAYS:
                    raise Invalid("days", f"'{day[:20]}' is no day; one of {', '.join(DAYS)}")
            start, end = args.text("start", 5), args.text("end", 5)
            for name, text in (("start", start), ("end", end)):
                if minute_of(text) is None or (name, text) == ("start", "24:00"):
                    raise Invalid(name, f"'{text}' is no time of day: write 06:00, or 24:00 for an end at midnight")
            week = int(args.maybe_number("week", 0, weeks) or 0)
            slot = Slot(
                days=days or DAYS, start=start, end=end, people=self._names(args), week=week,
                role=args.maybe_ident("role") or "",
            )  # fmt: skip
            args.end()
        return slot

    def _cover(self, index: int, item: object) -> Cover:
        with _Inside(f"covers[{index}]", item) as args:
            cover = Cover(
                from_at=args.number("from_at", 0, 1e11),
                until_at=args.number("until_at", 0, 1e11),
                people=self._names(args),
                note=args.maybe_text("note", 300),
            )
            args.end()
            if cover.until_at <= cover.from_at:
                raise Invalid("until_at", "must lie after from_at")
            if not cover.people:
                raise Invalid("people", "somebody has to stand in")
        return cover

    def _names(self, args: Arguments) -> tuple[str, ...]:
        names = tuple(Arguments({"people": name}).account("people") for name in args.items("people", 100))
        for name in names:
            if name not in self._people.all:
                raise Invalid("people", f"there is no person '{name}': add them first")
        return names


class _Inside:
    """The arguments of a nested mapping; an error in it names its place."""

    def __init__(self, place: str, item: object) -> None:
        self._place = place
        if not isinstance(item, dict):
            raise Invalid(place, "expected names with values")
        self._args = Arguments(item)

    def __enter__(self) -> Arguments:
        return self._args

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Invalid):
            raise Invalid(f"{self._place}.{error.field}", error.message.removeprefix(f"{error.field}: ")) from None


def _named_in(roster: Roster) -> list[tuple[str, ...]]:
    return [*(slot.people for slot in roster.slots), *(cover.people for cover in roster.covers)]


def _address(kind: str, value: object) -> str:
    if kind not in ADDRESSES:
        raise Invalid(f"addresses.{kind[:20]}", f"is no kind of address; one of {', '.join(ADDRESSES)}")
    try:
        text = Arguments({kind: value}).text(kind, 200)
    except GatehouseError as error:
        raise Invalid(f"addresses.{kind}", error.message) from None
    if any(char.isspace() for char in text):
        raise Invalid(f"addresses.{kind}", "contains a space")
    if (kind == "email" and "@" not in text[1:-1]) or (kind == "phone" and not text.lstrip("+").isdigit()):
        raise Invalid(f"addresses.{kind}", "is no e-mail address" if kind == "email" else "is digits, with + in front")
    return text


def _require_date(field: str, text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Invalid(field, f"'{text}' is no date: write 2026-01-05") from None
