"""Messages by a template: text messages through any provider, and the group robots of WeCom and DingTalk.

A profile is data: a URL, a body with placeholders, and how the answer says that the message was taken. Robots answer
200 also when they refuse, with the reason in `errcode`: an answer that is not read would be a message lost in silence.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import msgspec

from gateway.model import Delivery
from gateway.notify.channels import Channel, SendFailed
from gateway.notify.post import Answer, require_taken

_WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
_DINGTALK = "https://oapi.dingtalk.com/robot/send"
#: What a placeholder may stand for in the template of a text message.
PLACEHOLDERS = ("phone", "title", "text", "key", "name")
#: How the robots say that they took it.
ROBOT_SUCCESS = {"field": "errcode", "equals": 0}
_LONGEST = 1800


class Request(msgspec.Struct, frozen=True):
    """What is to be posted, and what the answer must say."""

    url: str
    body: bytes
    headers: dict[str, str]
    success: dict[str, Any]


def requests_of(channel: Channel, delivery: Delivery, now: float) -> list[Request]:
    """The requests of one message: one for a group, one for each phone. `now` is the wall clock."""
    if channel.type == "sms":
        return [_sms(channel, delivery, to.address, to.name or to.person) for to in delivery.to]
    return [_robot(channel, delivery, now)]


def require_success(request: Request, answer: Answer) -> None:
    """Raises `SendFailed` where the answer does not say that the message was taken."""
    require_taken(answer)
    field = request.success.get("field")
    if not field:
        return
    try:
        said: Any = msgspec.json.decode(answer.body)
        for part in str(field).split("."):
            said = said[part]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise SendFailed(f"the answer has no '{field}'") from error
    if said != request.success.get("equals"):
        text = answer.body[:200].decode("utf-8", "replace")
        raise SendFailed(f"it was refused: {text}")


def _full_text(channel: Channel, delivery: Delivery) -> str:
    one = delivery.notification
    return f"{channel.say(one.title)}\n{channel.say(one.text)}".strip()[:_LONGEST]


def _robot(channel: Channel, delivery: Delivery, now: float) -> Request:
    options = channel.options
    if channel.type == "wecom":
        url = f"{options.get('url') or _WECOM}?key={quote(str(options['key']), safe='')}"
    else:
        url = f"{options.get('url') or _DINGTALK}?access_token={quote(str(options['token']), safe='')}"
        if options.get("secret"):
            stamp = str(round(now * 1000))
            secret = str(options["secret"])
            digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
            url += f"&timestamp={stamp}&sign={quote_plus(base64.b64encode(digest))}"
    body = {"msgtype": "text", "text": {"content": _full_text(channel, delivery)}}
    return Request(url, msgspec.json.encode(body), _headers(delivery, "application/json"), ROBOT_SUCCESS)


def _sms(channel: Channel, delivery: Delivery, phone: str, name: str) -> Request:
    one, options = delivery.notification, channel.options
    facts = {
        "phone": phone, "name": name, "title": channel.say(one.title), "text": channel.say(one.text), "key": one.key
    }  # fmt: skip
    filled = _fill(options["body"], facts)
    if options.get("encoding") == "form":
        body, kind = urlencode(filled).encode(), "application/x-www-form-urlencoded"
    else:
        body, kind = msgspec.json.encode(filled), "application/json"
    extra = {str(name): str(_fill(value, facts)) for name, value in (options.get("headers") or {}).items()}
    return Request(str(options["url"]), body, {**_headers(delivery, kind), **extra}, dict(options.get("success") or {}))


def _headers(delivery: Delivery, kind: str) -> dict[str, str]:
    return {
        "Content-Type": f"{kind}; charset=utf-8",
        "User-Agent": "Gatehouse",
        "Idempotency-Key": delivery.notification.key,
    }


def _fill(template: Any, facts: dict[str, str]) -> Any:
    """The template with `{phone}` and the like filled in: values stay values, whatever is in them."""
    if isinstance(template, dict):
        return {key: _fill(value, facts) for key, value in template.items()}
    if isinstance(template, list):
        return [_fill(value, facts) for value in template]
    if not isinstance(template, str):
        return template
    parts = template.split("{")
    text = parts[0]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        text += f"{facts[name]}{rest}" if closed and name in facts else "{" + part
    return text
