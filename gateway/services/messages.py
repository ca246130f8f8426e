"""What people read when they are told: short enough for a phone, in both languages, without personal data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.model import Alert, Notification, Severity
from gateway.services.templates import plain
from gateway.services.world import World

SEVERITY = {
    "critical": {"en": "CRITICAL", "zh": "紧急"},
    "high": {"en": "HIGH", "zh": "高"},
    "medium": {"en": "MEDIUM", "zh": "中"},
    "low": {"en": "LOW", "zh": "低"},
}
LANGUAGES = ("en", "zh")
_LISTED = 30
_WORDS = {
    "en": {
        "place": "Place", "since": "Since", "do": "What to do", "level": "Not acknowledged: call {n} of {all}",
        "digest": "{n} alerts", "more": "and {n} more", "count": "seen {n} times",
    },
    "zh": {
        "place": "位置", "since": "开始", "do": "处置", "level": "无人确认：第 {n} 级通知，共 {all} 级",
        "digest": "{n} 条警报", "more": "另有 {n} 条", "count": "已出现 {n} 次",
    },
}  # fmt: skip


def alert_message(
    alert: Alert, level: int, levels: int, world: World, zone: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Title and text of an alert's message, by language. `zone` is the site's time zone."""
    titles, texts = {}, {}
    at = f"{datetime.fromtimestamp(alert.raised_at, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
    for language in LANGUAGES:
        words = _WORDS[language]
        named = alert.title.get(language) or next(iter(alert.title.values()), alert.rule)
        titles[language] = plain(f"[{SEVERITY[str(alert.severity)][language]}] {named}", 300)
        lines = []
        place = " / ".join(_places(alert, world, language))
        if place:
            lines.append(f"{words['place']}: {place}")
        lines.append(f"{words['since']}: {at}")
        if alert.count > 1:
            lines.append(words["count"].format(n=alert.count))
        if level > 1:
            lines.append(words["level"].format(n=level, all=levels))
        advice = alert.advice.get(language, "")
        if advice:
            lines.append(f"{words['do']}: {plain(advice, 500)}")
        lines.append(alert.id)
        texts[language] = "\n".join(lines)
    return titles, texts


def digest_message(held: Iterable[Notification]) -> tuple[dict[str, str], dict[str, str]]:
    """Title and text of a digest: how many, the most urgent first, each in a line."""
    notes = sorted(held, key=lambda one: (Severity(one.severity or "low").rank, one.created_at, one.id))
    titles, texts = {}, {}
    for language in LANGUAGES:
        words = _WORDS[language]
        titles[language] = words["digest"].format(n=len(notes))
        lines = [one.title.get(language, one.id) for one in notes[:_LISTED]]
        if len(notes) > _LISTED:
            lines.append(words["more"].format(n=len(notes) - _LISTED))
        texts[language] = "\n".join(lines)
    return titles, texts


def _places(alert: Alert, world: World, language: str) -> list[str]:
    site, device = world.sites.get(alert.site), world.devices.get(alert.device or "")
    things: list[tuple[str, Mapping[str, str]]] = [(alert.site, site.name if site is not None else {})]
    for ident in dict.fromkeys((alert.building, alert.zone)):
        known = world.zones.get(ident or "")
        if ident:
            things.append((ident, known.name if known is not None else {}))
    if device is not None:
        things.append((device.id, device.name))
    return [plain(names.get(language) or next(iter(names.values()), ident)) for ident, names in things]
