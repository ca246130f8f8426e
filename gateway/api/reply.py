"""Answers: JSON by msgspec, entity tags, and the check of `If-Match`."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from fastapi import Header
from starlette.responses import Response

from gateway.errors import Invalid, StaleVersion

_encode = msgspec.json.Encoder().encode
_TAG = re.compile(r'^\s*(?:W/)?"(\d{1,18})"\s*$')

IfMatch = Annotated[
    str | None, Header(max_length=64, description="The ETag the change is based on: refused with 412 if it moved on.")
]


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer. Nothing of it is kept by caches: it is for one caller."""
    answer = Response(_encode(body), status, headers, "application/json")
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def versioned(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with its version as entity tag."""
    return reply(body, status, {**(headers or {}), "ETag": f'W/"{body["version"]}"'})


def wanted_version(if_match: str | None) -> int | None:
    """The version a change is based on; None where it is not said."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _TAG.match(if_match)
    if found is None:
        raise Invalid("If-Match", 'expected an entity tag such as W/"3"')
    return int(found.group(1))


def require_version(what: str, key: str, have: int, if_match: str | None) -> int | None:
    """The version the caller wants to change, None where not said. Raises `StaleVersion` if it moved on."""
    want = wanted_version(if_match)
    if want is not None and want != have:
        raise StaleVersion(what, key, have, want)
    return want
