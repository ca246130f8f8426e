"""A work order on paper: one page of HTML without scripts, in the language asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import Response

from gateway.api.acting import Id, Reveal, read, revealed
from gateway.api.auth import Who, needs, resource_router
from gateway.api.room import InRoom
from gateway.api.work_orders import known_order
from gateway.model import Role, WorkOrder
from gateway.services.working_time import zone_of

router = resource_router("work orders")

_declared = needs(Role.VIEWER)
_declared["responses"][200] = {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "order": "Work order", "number": "Number", "state": "State", "kind": "Kind", "priority": "Priority",
        "place": "Place", "device": "Device", "team": "Team", "assignee": "Given to", "owner": "Responsible",
        "opened": "Opened", "respond": "Respond by", "resolve": "Resolve by", "done": "Done", "requester": "Asked by",
        "text": "What was asked", "parts": "Parts", "quantity": "Quantity", "price": "Price", "labour": "Labour",
        "cost": "Cost", "files": "Files", "log": "Log", "signature": "Signature of who did it",
        "confirmed": "Confirmed by", "minutes": "min", "rating": "Rating",
    },
    "zh": {
        "order": "工单", "number": "编号", "state": "状态", "kind": "类型", "priority": "优先级", "place": "位置",
        "device": "设备", "team": "班组", "assignee": "处理人", "owner": "首接责任人", "opened": "开单时间",
        "respond": "响应时限", "resolve": "完成时限", "done": "完工时间", "requester": "报修人", "text": "诉求内容",
        "parts": "材料", "quantity": "数量", "price": "单价", "labour": "工时", "cost": "费用", "files": "附件",
        "log": "处理记录", "signature": "处理人签字", "confirmed": "业主确认", "minutes": "分钟", "rating": "评价",
    },
}  # fmt: skip
STATES = {
    "zh": {
        "open": "待派", "assigned": "已派", "accepted": "已接", "in_progress": "进行中", "done": "已完工",
        "verified": "已核验", "closed": "已关闭", "repair": "维修", "request": "求助", "complaint": "投诉",
        "maintenance": "保养", "inspection": "巡检", "critical": "紧急", "high": "高", "medium": "中", "low": "低",
    },
}  # fmt: skip


@router.get("/work-orders/{id}/print", **_declared, response_class=Response)
async def printed(
    id: Id,
    room: InRoom,
    actor: Who,
    language: Annotated[Literal["en", "zh"], Query()] = "zh",
    reveal: Reveal = None,
) -> Response:
    """The order as a page to print, with room for signatures."""
    order = await known_order(room, actor, id)
    open_ = await revealed(room, actor, f"work_order:{order.id}", reveal)
    site = next(iter(await read(room.reader.sites, (order.site,))), None)
    zone = site.timezone if site is not None else "UTC"
    shown = room.presenter.work_order(order, open_)
    headers = {"Cache-Control": "no-store"}
    return Response(page(order, shown, language, zone), 200, headers, "text/html; charset=utf-8")


def page(order: WorkOrder, shown: dict[str, Any], language: str, timezone: str) -> str:
    """The page. Everything that came from outside is escaped; times are the site's."""
    words, zone = WORDS[language], zone_of(timezone)

    def time(seconds: float | None) -> str:
        return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M}" if seconds is not None else ""

    def word(text: str) -> str:
        return STATES.get(language, {}).get(text, text.replace("_", " "))

    asked = shown["requester"] or {}
    facts = [
        ("number", order.number), ("state", word(order.state)), ("kind", word(order.kind)),
        ("priority", word(order.priority)), ("device", order.device or ""), ("place", order.zone or ""),
        ("team", order.team), ("assignee", order.assignee or ""), ("owner", order.owner or ""),
        ("opened", time(order.opened_at)), ("respond", time(order.respond_by)), ("resolve", time(order.resolve_by)),
        ("done", time(order.resolved_at)),
        ("requester", " ".join(asked.get(name) or "" for name in ("name", "phone", "address")).strip()),
        ("rating", f"{order.rating.score}/5" if order.rating is not None else ""),
        ("labour", f"{order.labour_minutes} {words['minutes']}" if order.labour_minutes else ""),
        ("cost", f"{order.cost_cents / 100:.2f}" if order.cost_cents else ""),
    ]  # fmt: skip
    title = shown["title"].get(language) or next(iter(shown["title"].values()), "")
    parts = [(part.name, f"{part.quantity:g}", f"{part.price_cents / 100:.2f}") for part in order.parts]
    log = [(time(line.entry_at), line.by, line.action.replace("_", " "), line.text) for line in order.log]
    body = [
        f"<h1>{words['order']} {escape(order.number)}</h1><h2>{escape(title)}</h2>",
        _facts([(words[name], value) for name, value in facts if value]),
        f"<h3>{words['text']}</h3><p>{escape(shown['text'])}</p>" if order.text else "",
        _table(words["parts"], (words["parts"], words["quantity"], words["price"]), parts),
        _table(words["files"], ("",), [(file.name,) for file in order.files]),
        _table(words["log"], (), log),
        f"<p class=sign>{words['signature']} ____________________ &emsp; {words['confirmed']} ____________________</p>",
    ]
    return _FRAME.format(language=language, number=escape(order.number), body="".join(body))


#: The style is the page's own file: the policy admits no other.
_FRAME = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{number}</title>'
    '<link rel="stylesheet" href="/css/print.css"></head><body>{body}</body></html>'
)


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    return f"<table class=facts>{rows}</table>"


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h3>{escape(title)}</h3><table>{f'<tr>{top}</tr>' if any(heads) else ''}{cells}</table>"
