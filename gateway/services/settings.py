"""The limits and policies of the services, with their defaults."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the desk. Durations in seconds; rule names as shell-style patterns."""

    shelve_longest: float = 8 * 3600.0
    """FAULTS 56: nothing is put aside for longer than a shift."""
    shelve_second_person: bool = True
    """A critical alert is shelved by two: one asks, another one asks the same. False: it is not shelved at all."""
    shelve_second_within: float = 300.0
    """How long the first one's wish waits for the second person."""
    outage_longest: float = 7 * 86400.0
    """Nothing is out of service for longer without being looked at again."""
    outage_ahead: float = 90 * 86400.0
    """How far ahead a window may be planned."""
    never_shelved: tuple[str, ...] = ("fire.*", "*duress*", "*entrapment*", "*panic*")
    """Alerts of these rules, and of all that listen to `grave_kinds`, stay visible."""
    engineer_resets: tuple[str, ...] = ("fire.*", "*duress*", "*panic*")
    """Latched alerts of these rules, and of all that listen to `grave_kinds`, are reset by an engineer."""
    grave_kinds: tuple[str, ...] = ("fire.alarm", "access.duress")
    fire_rules: tuple[str, ...] = ("fire.alarm*",)
    """While an alert of these rules, or of one that listens to `fire.alarm`, is open at a site, nothing is locked."""
    chatter_count: int = 3
    chatter_window: float = 60.0
    """ISA-18.2: three activations in a minute are chattering; a calm minute ends it."""
    stale_after: float = 86400.0
    """ISA-18.2: a condition that has stood for longer is stale: it wants a work order, not another look."""
    first_out_window: float = 60.0
    """ISA-18.1 first-out: alerts of a zone and system that come so soon after one another are told by their first."""
    storm_above: int = 10
    storm_below: int = 5
    storm_window: float = 600.0
    """ISA-18.2: more than ten new alerts of a site in ten minutes are a flood; with fewer than five it has ended."""
    evidence_first: int = 5
    evidence_kept: int = 20
    """The first events show how it began, the newest where it stands; between them they are dropped."""
    comments_kept: int = 200
    remembered: int = 2000
    """How many closed alerts and orders, and finished commands, are kept to answer who was first."""
    keys_remembered: int = 20_000
    """How many idempotency keys are kept."""

    order_reopens_within: float = 7 * 86400.0
    request_responds_within: float = 180.0
    """The three-minute promise 三分钟服务承诺: somebody has taken the resident's request."""
    request_answers_within: float = 2 * 86400.0
    request_resolves_within: float = 7 * 86400.0
    """First-contact responsibility 首接责任制: the resident is answered within two days, and helped within a week."""
    deferral_longest: float = 30 * 86400.0
    visit_share: float = 0.3
    """Return visits 回访: at least this share of closed repairs, requests and complaints is drawn."""
    outside_teams: tuple[str, ...] = ()
    """Teams whose orders an outside maintenance system is told of; `*` for all."""

    command_expires_in: float = 5.0
    command_longest: float = 300.0
    """A caller may ask for more than the default; never for so much that a forgotten command opens a door."""
    confirm_within: float = 10.0
    """How long after it was selected a command may be confirmed."""
    second_person: tuple[str, ...] = ("unlock_all",)
    """What a second person must confirm: command words as patterns, or `word:type of device`."""
    second_within: float = 60.0
    """How long a command waits for the second person."""
    plans_second_person: tuple[str, ...] = ()
    """Plans, as patterns, whose real start by a person another one must confirm."""
    observe_within: float = 5.0
    """How long after a device's answer its state must be seen to follow, where the proof says nothing else."""
    opens_limit: int = 20
    opens_window: float = 10.0
    stale_input: float = 10.0
    """FAULTS 82: a rule's command is not sent on a judgement older than this."""
    question_stale: float = 5.0

    flood_count: int = 5
    flood_window: float = 60.0
    """So many messages to the same people within the window come one by one; what follows comes as one digest."""
    flight_longest: float = 25.0
    """An attempt without an outcome has failed after this: the second channel must be tried within a minute."""
    retry_first: float = 15.0
    retry_longest: float = 600.0
    give_up_after: float = 86400.0


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether `name` fits one of the patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
