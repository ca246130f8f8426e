"""The reports on paper: one page of HTML without scripts each, in the language asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "kpi": "Promises of the month", "promise": "Promise", "target": "Target", "value": "Value", "trend": "Trend",
        "records": "Records", "load": "Load of alerts", "figure": "Figure", "yes": "kept", "no": "not kept",
        "alerts": "Alerts", "per_10_min": "per 10 min and operator (target 1)", "peak_10_min": "peak in 10 min (10)",
        "time_in_flood": "% of time in flood (1)", "floods": "floods", "chattering": "chattering",
        "stale": "stale, over 24 h", "stale_worst_day": "stale on the worst day (under 5)", "shelved": "shelved",
        "mix": "Levels", "share": "%", "top": "Most frequent", "count": "Number", "acknowledgement": "Acknowledged",
        "median": "median s", "p90": "90 % within s", "in_time": "% in time",
        "critical": "critical", "high": "high", "medium": "medium", "low": "low",
    },
    "zh": {
        "kpi": "月度服务承诺", "promise": "承诺", "target": "目标", "value": "实际", "trend": "环比", "records": "记录",
        "load": "警报负荷", "figure": "指标", "yes": "达成", "no": "未达成", "alerts": "警报数",
        "per_10_min": "每人每10分钟（目标1）", "peak_10_min": "10分钟峰值（10）", "time_in_flood": "风暴时间%（1）",
        "floods": "风暴次数", "chattering": "抖动", "stale": "超24小时未消除",
        "stale_worst_day": "最差日超24小时（少于5）",
        "shelved": "搁置", "mix": "等级构成", "share": "%", "top": "最频繁", "count": "次数",
        "acknowledgement": "确认用时",
        "median": "中位秒", "p90": "90%秒", "in_time": "及时%",
        "critical": "紧急", "high": "高", "medium": "中", "low": "低",
    },
}  # fmt: skip
_SIMPLE = ("alerts", "per_10_min", "peak_10_min", "time_in_flood", "floods", "chattering", "stale", "stale_worst_day",
           "shelved")  # fmt: skip


def kpi_page(items: Iterable[dict[str, Any]], month: str, language: str) -> str:
    """The promises of a month."""
    words = WORDS[language]
    rows = [
        (
            one["title"][language],
            f"{'≥' if one['at_least'] else '≤'} {one['target']:g} {one['unit']}",
            _number(one["value"]),
            "" if one["met"] is None else words["yes" if one["met"] else "no"],
            _number(one["trend"]),
            " ".join(one["records"][:10]),
        )
        for one in items
    ]
    heads = (words["promise"], words["target"], words["value"], "", words["trend"], words["records"])
    return _page(f"{words['kpi']} {month}", language, _table("", heads, rows))


def alerts_page(shown: dict[str, Any], language: str, timezone: str) -> str:
    """The load of alerts."""
    words = WORDS[language]
    parts = [
        _table("", (words["figure"], words["value"]), [(words[name], _number(shown[name])) for name in _SIMPLE]),
        _table(
            words["mix"],
            ("", words["count"], words["share"], words["target"]),
            [
                (words[one["severity"]], *map(_number, (one["count"], one["share"], one["target"])))
                for one in shown["mix"]
            ],
        ),
        _table(
            words["top"],
            ("", words["count"], words["share"]),
            [(one["rule"], _number(one["count"]), _number(one["share"])) for one in shown["top"]],
        ),
        _table(
            words["acknowledgement"],
            ("", words["median"], words["p90"], words["in_time"], words["target"]),
            [
                (words[one["severity"]], *(_number(one[key]) for key in ("median_s", "p90_s", "in_time", "target_s")))
                for one in shown["acknowledgement"]
            ],
        ),
    ]
    return _page(f"{words['load']} {shown['since'][:10]} – {shown['until'][:10]}", language, "".join(parts))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}".rstrip("0").rstrip(".")


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h3>{escape(title)}</h3><table><tr>{top}</tr>{cells}</table>"


def _page(title: str, language: str, body: str) -> str:
    # The style is the page's own file: the policy admits no other.
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="/css/print.css"></head><body><h1>{escape(title)}</h1>{body}</body></html>'
    )
