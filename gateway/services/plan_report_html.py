"""The after-action report as one page that prints: no script, no link, both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from gateway.services.plan_report import Report

#: The same as the page's `css/report.css`, for a file that stands alone.
CSS = """
body { font: 11pt/1.4 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 2rem auto; max-width: 60rem;
  color: #111; background: #fff; padding: 0 1rem; }
h1 { font-size: 18pt; margin: 0 0 .2rem; } h2 { font-size: 13pt; margin: 1.6rem 0 .4rem; }
.drill { border: 3px solid #111; padding: .3rem .8rem; font-weight: 700; letter-spacing: .1em; display: inline-block; }
table { width: 100%; border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: .25rem .5rem;
  border-bottom: 1px solid #bbb; } th { font-weight: 600; border-bottom-color: #111; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: #555; } dd { margin: 0; }
.bad { font-weight: 700; } .bad::before { content: "▲ "; } .quiet { color: #666; }
.signature { display: grid; grid-template-columns: 1fr 1fr; gap: 3rem; margin-top: 3rem; }
.signature div { border-top: 1px solid #111; padding-top: .3rem; }
@media print { body { margin: 0; max-width: none; } tr { break-inside: avoid; } h2 { break-after: avoid; } }
"""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "report": "After-action report", "drill_report": "Drill report", "drill": "DRILL", "place": "Place",
        "started": "Started", "by": "by", "second": "Confirmed by", "ended": "Ended", "took": "Took", "alert": "Alert",
        "score": "Done in time", "scenario": "Scenario", "watch": "To be watched", "figures": "Figures",
        "steps": "Steps", "step": "Step", "who": "Who", "allowed": "Allowed", "needed": "Needed", "outcome": "Outcome",
        "note": "Note", "timeline": "Timeline", "at": "Time", "what": "What", "commands": "Commands",
        "running": "running", "finished": "finished", "stopped": "stopped", "proposed": "proposed",
        "lapsed": "lapsed", "preempted": "ended by the real run", "done": "done", "failed": "failed",
        "skipped": "skipped", "waiting": "not begun", "active": "not finished", "overdue": "overdue",
        "not_needed": "not needed", "late": "late", "in_time": "in time", "automatic": "automatic",
        "escalated": "escalated to", "escalations": "escalations", "unfinished": "unfinished", "manual": "by people",
        "signed": "Responsible", "read": "Read by", "rejected": "rejected",
        "expired": "expired", "unknown": "unknown", "sent": "sent", "pending": "pending",
        "unconfirmed": "not confirmed",
    },
    "zh": {
        "report": "事后总结报告", "drill_report": "演练报告", "drill": "演练", "place": "地点", "started": "启动",
        "by": "由", "second": "第二确认人", "ended": "结束", "took": "用时", "alert": "警报", "score": "按时完成率",
        "scenario": "演练情景", "watch": "观察要点", "figures": "统计", "steps": "步骤", "step": "步骤",
        "who": "责任人",
        "allowed": "时限", "needed": "用时", "outcome": "结果", "note": "备注", "timeline": "时间线", "at": "时间",
        "what": "内容", "commands": "指令", "running": "进行中", "finished": "已结束", "stopped": "已中止",
        "proposed": "待确认", "lapsed": "已失效", "preempted": "被真实事件中止", "done": "完成", "failed": "失败",
        "skipped": "跳过", "waiting": "未开始", "active": "未完成", "overdue": "逾期", "not_needed": "无需执行",
        "late": "超时", "in_time": "按时", "automatic": "自动", "escalated": "升级至", "escalations": "升级次数",
        "unfinished": "未完成", "manual": "人工步骤", "signed": "负责人", "read": "审阅",
        "rejected": "被拒", "expired": "过期", "unknown": "未知", "sent": "已发送", "pending": "待发送",
        "unconfirmed": "未得到确认",
    },
}  # fmt: skip
LANGUAGES = tuple(_WORDS)


def report_page(report: Report, language: str, zone: str, names: Mapping[str, str], style: str) -> str:
    """The whole page. `zone` is the site's time zone, `names` the devices' and places' names, `style` its head."""
    page = _Page(report, language, ZoneInfo(zone) if zone else UTC, names)
    return page.html(style)


class _Page:
    def __init__(self, report: Report, language: str, zone: tzinfo, names: Mapping[str, str]) -> None:
        self.report = report
        self.language = language
        self.words = _WORDS[language]
        self.zone = zone
        self.names = names

    def html(self, style: str) -> str:
        words, report = self.words, self.report
        title = self.text(report["title"]) or report["plan"]
        mark = f'<p class="drill">{words["drill"]}</p>' if report["drill"] else ""
        kind = words["drill_report" if report["drill"] else "report"]
        return (
            f'<!doctype html><html lang="{self.language}"><head><meta charset="utf-8"><title>{escape(title)}: {kind}'
            f'</title>{style}</head><body>{mark}<p class="quiet">{kind} · {escape(report["run"])}</p>'
            f"<h1>{escape(title)}</h1>{self.facts()}{self.script()}{self.figures()}{self.steps()}{self.timeline()}"
            f'<div class="signature"><div>{words["signed"]}</div><div>{words["read"]}</div></div></body></html>\n'
        )

    def facts(self) -> str:
        words, report = self.words, self.report
        state = words["preempted"] if report["preempted_by"] else words.get(report["state"], report["state"])
        score = None if report["score"] is None else f"{report['score']:g} %"
        pairs = [
            (words["place"], self.name(report["device"] or report["place"] or report["site"])),
            (words["started"], f"{self.time(report['started_at'])} · {self.who(report['started_by'])}"),
            (words["second"], self.who(report["second_by"])),
            (words["ended"], f"{self.time(report['finished_at'])} · {state}" if report["finished_at"] else state),
            (words["took"], self.span(report["took"])),
            (words["alert"], report["alert"]),
            (words["score"], score),
        ]
        lines = "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in pairs if value)
        return f"<dl>{lines}</dl>"

    def script(self) -> str:
        parts = [(self.words[name], self.text(self.report[name])) for name in ("scenario", "watch")]
        return "".join(f"<h2>{name}</h2><p>{escape(text)}</p>" for name, text in parts if text)

    def figures(self) -> str:
        words, figures = self.words, self.report["figures"]
        cells = [(words[name], figures[name]) for name in
                 ("steps", "manual", "in_time", "late", "failed", "skipped", "unfinished", "escalations")]  # fmt: skip
        commands = ", ".join(f"{count} {words.get(end, end)}" for end, count in sorted(figures["commands"].items()))
        if commands:
            cells.append((words["commands"], commands))
        return f"<h2>{words['figures']}</h2><dl>" + "".join(f"<dt>{a}</dt><dd>{b}</dd>" for a, b in cells) + "</dl>"

    def steps(self) -> str:
        words = self.words
        head = "".join(f"<th>{words[name]}</th>" for name in ("step", "who", "allowed", "needed", "outcome", "note"))
        rows = "".join(self.step(number, step) for number, step in enumerate(self.report["steps"], 1))
        return f"<h2>{words['steps']}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def step(self, number: int, step: Mapping[str, Any]) -> str:
        words = self.words
        outcome = words["not_needed"] if step["not_needed"] else words.get(step["state"], step["state"])
        late = step["state"] == "done" and step["in_time"] is False
        if step["in_time"] is not None and step["state"] == "done":
            outcome += f", {words['late'] if late else words['in_time']}"
        bad = late or (step["state"] in ("failed", "overdue") and not step["not_needed"])
        notes = [self.text(step["answer"]), step["note"]]
        if step["escalated"]:
            notes.append(f"{words['escalated']} {', '.join(step['escalated'])}")
        notes += [
            f"{one['name']} {self.name(one['device'])}: {words.get(one['state'], one['state'])}"
            for one in step["commands"]
        ]
        who = words["automatic"] if step["automatic"] else self.who(step["done_by"]) or step["role"]
        row = [
            f"{number}. {self.text(step['title'])}", who, self.span(step["within"]), self.span(step["took"]),
        ]  # fmt: skip
        cells = "".join(f"<td>{escape(str(cell or ''))}</td>" for cell in row)
        note = "<br>".join(escape(text) for text in notes if text)
        quiet = ' class="quiet"' if step["not_needed"] else ""
        return f"<tr{quiet}>{cells}<td{' class=bad' if bad else ''}>{escape(outcome)}</td><td>{note}</td></tr>"

    def timeline(self) -> str:
        words = self.words
        head = "".join(f"<th>{words[name]}</th>" for name in ("at", "by", "what"))
        rows = "".join(
            f"<tr><td>{self.time(one['told_at'])}</td><td>{escape(self.who(one['by']))}</td>"
            f"<td>{escape(one['action'].replace('_', ' '))} {escape(one['text'])}</td></tr>"
            for one in self.report["timeline"]
        )
        return f"<h2>{words['timeline']}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    # Values

    def text(self, both: Mapping[str, str]) -> str:
        return both.get(self.language) or next(iter(both.values()), "")

    def name(self, ident: str) -> str:
        name = self.names.get(ident)
        return f"{name} ({ident})" if name and name != ident else ident

    def who(self, actor: str | None) -> str:
        kind, _, name = (actor or "").partition(":")
        return self.name(name) if kind == "device" else name if kind in ("user", "token") else actor or ""

    def time(self, at: float | None) -> str:
        return "" if at is None else datetime.fromtimestamp(at, UTC).astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def span(self, seconds: float | None) -> str:
        if seconds is None:
            return ""
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
