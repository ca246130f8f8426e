"""The description of the API, and the walk over all its routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from gateway.api.auth import COOKIE, PUBLIC, needs, resource_router
from gateway.api.problems import Problem
from gateway.api.reply import reply

router = resource_router()

_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "With X-CSRF-Token on writes."},
    "token": {"type": "http", "scheme": "bearer"},
    "device": {"type": "http", "scheme": "basic", "description": "A device's id and secret."},
}


def every_route(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, APIRoute]]:
    """(path, route) of all routes below `routes`, included routers and all."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield prefix + route.path, route
        elif hasattr(route, "original_router"):
            yield from every_route(route.original_router.routes, prefix + route.include_context.prefix)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    document = get_openapi(title="Gatehouse", version=app.version, routes=app.routes, summary=app.summary)
    components = document.setdefault("components", {})
    components["securitySchemes"] = _SCHEMES
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return document


_declared = needs(PUBLIC)


@router.get("/openapi.json", **_declared, response_class=Response, include_in_schema=False)
async def openapi(request: Request) -> Response:
    """This description."""
    return reply(request.app.openapi())


@router.api_route(
    "/{rest:path}",
    methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    **needs(PUBLIC, any_body=True),
    response_class=Response,
    include_in_schema=False,
)
async def nothing_here(request: Request) -> Response:
    """What no route serves: 405 where the path is served by another method, else 404. Stands after all routes."""
    path, routes = request.url.path, every_route(request.app.routes)
    served = {
        method
        for template, route in routes
        if route.endpoint is not nothing_here and compile_path(template)[0].match(path)
        for method in route.methods or ()
    }
    raise HTTPException(405 if served else 404, headers={"Allow": ", ".join(sorted(served))} if served else None)
