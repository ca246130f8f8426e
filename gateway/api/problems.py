"""Every error as problem details (RFC 9457), rendered in one place."""

from __future__ import annotations

import http
import logging
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway.errors import GatehouseError

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("gatehouse.api")

_CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
          408: "timeout", 413: "too_large", 415: "unsupported_media_type", 422: "invalid", 429: "rate_limited",
          431: "headers_too_large", 503: "unavailable"}  # fmt: skip


class FieldProblem(BaseModel):
    """One value that is not acceptable. `field` is its dotted path."""

    field: str
    message: str


class PackProblem(BaseModel):
    """One thing that is wrong in a rule pack. `text` is what stands there."""

    file: str
    line: int
    column: int
    message: str
    text: str = ""
    suggestion: str = ""


class Problem(BaseModel):
    """Problem details. `code` is stable; `detail` says what, where and what to do."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    retry: bool = False
    field: str | None = None
    errors: list[FieldProblem] | list[PackProblem] | None = None
    facts: dict[str, Any] | None = Field(default=None)


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """An answer that tells of a problem. Members of `more` that are None are left out."""
    body = {
        "type": f"urn:gatehouse:problem:{code}",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "retry": status in (408, 429, 503),
        **{name: value for name, value in more.items() if value is not None},
    }
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


def problem_of(error: GatehouseError) -> Response:
    """The answer for one of the gateway's own errors."""
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = str(error.facts.get("scheme", "Bearer"))
    if error.retry:
        headers["Retry-After"] = str(max(1, round(float(str(error.facts.get("after", 1))))))
    status = error.status if 400 <= error.status <= 599 else 500
    facts = {name: fact for name, fact in error.facts.items() if name not in ("field", "scheme", "errors", "problems")}
    return problem(
        status,
        error.code,
        error.message,
        headers,
        retry=error.retry,
        field=error.facts.get("field"),
        errors=error.facts.get("errors") or error.facts.get("problems"),
        facts=msgspec.to_builtins(facts, enc_hook=str) or None,
    )


def install(app: FastAPI) -> None:
    """Hands every kind of error to its renderer."""
    app.add_exception_handler(GatehouseError, _gatehouse)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_exception_handler(Exception, _bug)


async def _gatehouse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, GatehouseError)  # noqa: S101 - registered for this type alone
    return problem_of(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    found = [_finding(item) for item in error.errors()[:20]]
    first = found[0] if found else {"field": "body", "message": "not acceptable"}
    detail = f"{first['field']}: {first['message']}"
    return problem(422, "invalid", detail, field=first["field"], errors=found)


def _finding(item: Mapping[str, Any]) -> dict[str, str]:
    """One thing that is wrong: where, and what was expected."""
    if item["type"] == "json_invalid":
        why = str((item.get("ctx") or {}).get("error") or "it cannot be read")[:200]
        return {"field": "body", "message": f"not JSON at character {item['loc'][-1]}: {why}"}
    return {"field": _path(item["loc"]), "message": str(item["msg"])[:300]}


def _path(place: tuple[Any, ...] | list[Any]) -> str:
    """`("body", "name", "en")` as `name.en`; where only the part of the request is known, that."""
    inner = [str(part) for part in place[1:]]
    return ".".join(inner)[:200] if inner else str(place[0]) if place else "request"


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    if error.status_code == 400:
        # FastAPI's word for a body that its JSON reader gives up on: bad UTF-8, too deep, too long a number.
        detail = "body: this cannot be read as JSON"
        return problem(422, "invalid", detail, field="body", errors=[{"field": "body", "message": detail[6:]}])
    details = {404: "no such page: see /api/v1/openapi.json for what there is", 405: "this method is not served here"}
    detail = details.get(error.status_code) or str(error.detail)
    code = _CODES.get(error.status_code, "refused")
    return problem(error.status_code, code, detail, dict(error.headers or {}))


async def _database(_request: Request, error: Exception) -> Response:
    reason = str(getattr(error, "orig", None) or error).split("\n")[0][:200]
    log.warning("the database refused a query: %s", reason)
    detail = "the database does not answer now; try again, and see the log if it stays"
    return problem(503, "unavailable", detail, {"Retry-After": "1"})


async def _bug(request: Request, error: Exception) -> Response:
    mark = secrets.token_hex(4)
    log.error("%s %s failed [%s]", request.method, request.url.path, mark, exc_info=error)
    return problem(500, "internal", f"this is a fault of the gateway, see its log for {mark}")
