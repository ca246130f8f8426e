"""A storm that the rules do not know: more alerts than an operator can take (ISA-18.2).

It begins with more than ten new alerts of a site in ten minutes and ends with fewer than five. While it lasts, one
alert stands for it and makes one sound, and further medium and low ones are folded under it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from gateway.model import Alert, Cleared, Raised, Severity
from gateway.services.alerts import Alerts
from gateway.services.common import Common
from gateway.services.folding import STORM_RULE, Folding
from gateway.services.moment import Moment

STORM = "alert.storm"
_MINOR = (Severity.MEDIUM, Severity.LOW)

TITLE = {"en": "Alert flood: {n} alerts in {minutes} minutes", "zh": "警报风暴：{minutes}分钟内{n}条警报"}
REASON = {
    "en": "More alerts came than one operator can take, and no rule knows their cause.",
    "zh": "警报数量超出一名值班员的处理能力，且没有规则能说明其原因。",
}
ADVICE = {
    "en": "Critical and high alerts first: they stand beside this one. Then open this one and look what the folded "
    "ones have in common: one building, one switch, one rule? Call the second operator.",
    "zh": "先处理单独列出的紧急和高级警报。再展开本条，查看被折叠警报的共同点："
    "同一楼栋、同一交换机还是同一规则？请第二名值班员协助。",
}
CONSEQUENCE = {
    "en": "Medium and low alerts make no sound until the flood has ended.",
    "zh": "风暴结束前，中、低级警报不再单独发声。",
}


class Storms:
    """Counts the new alerts of each site, and raises and ends its storm alert."""

    def __init__(self, common: Common, alerts: Alerts, folding: Folding) -> None:
        self._alerts = alerts
        self._folding = folding
        self._timers = common.timers
        self._settings = common.settings
        self._arrivals: dict[str, deque[float]] = {}

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Takes over when the stored alerts came; those of the last ten minutes matter."""
        self._arrivals.clear()
        for due, site, rule in sorted((alert.came_due, alert.site, alert.rule) for alert in alerts):
            times = self._of(site)
            if rule != STORM_RULE:
                times.append(due)
        for site in [*self._arrivals]:
            self._watch(site)

    def came(self, alert: Alert, moment: Moment) -> None:
        """A new alert stands: it counts, and is folded where it comes in a storm and may be."""
        times = self._of(alert.site)
        times.append(moment.now)
        self._forget(times, moment.now)
        storm = self._standing(alert.site)
        if storm is None and len(times) > self._settings.storm_above:
            storm = self._begin(alert.site, len(times), moment)
        if storm is None:
            return
        self._watch(alert.site)
        if alert.parent is None and alert.severity in _MINOR and self._folding.may_fold(alert.rule, alert.severity):
            self._folding.adopt(alert, storm, moment)

    def calm(self, site: str, moment: Moment) -> None:
        """The timer of a storm: ends it when few enough came of late; what it folded stands on its own."""
        storm = self._standing(site)
        times = self._of(site)
        self._forget(times, moment.now)
        if storm is None:
            return
        if len(times) >= self._settings.storm_below:
            self._watch(site)
            return
        self._folding.release(storm.id, moment)
        self._alerts.cleared(Cleared(rule=STORM_RULE, scope=site, at=moment.now), moment)

    def _begin(self, site: str, count: int, moment: Moment) -> Alert:
        facts = {"n": count, "minutes": round(self._settings.storm_window / 60)}
        values = {"count": count}
        change = Raised(rule=STORM_RULE, scope=site, at=moment.now, site=site, values=values)
        texts = {language: text.format(**facts) for language, text in TITLE.items()}
        return self._alerts.of_its_own(change, moment, Severity.HIGH, texts, REASON, ADVICE, CONSEQUENCE)

    def _standing(self, site: str) -> Alert | None:
        storm = self._alerts.of(STORM_RULE, site)
        return storm if storm is not None and storm.active else None

    def _watch(self, site: str) -> None:
        """Due when so many have left the window that the storm is over."""
        times, below = self._of(site), self._settings.storm_below
        if self._standing(site) is not None:
            last = times[-below] if len(times) >= below else 0.0
            self._timers.set(STORM, site, last + self._settings.storm_window)

    def _of(self, site: str) -> deque[float]:
        return self._arrivals.setdefault(site, deque(maxlen=1000))

    def _forget(self, times: deque[float], now: float) -> None:
        while times and times[0] <= now - self._settings.storm_window:
            times.popleft()
