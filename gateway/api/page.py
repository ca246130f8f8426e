"""The control-room page: files from one folder, and nothing from beside it."""

from __future__ import annotations

import mimetypes
import os
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".map": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
}


class Page(StaticFiles):
    """Files with an entity tag, asked for anew each time: a page of an older version never talks to a newer API."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True, check_dir=False, follow_symlink=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path`, or 404 for whatever is not one in the folder."""
        if "\x00" in path or "\\" in path or path.startswith("api/") or path == "api" or _hidden(path):
            raise HTTPException(404)
        try:
            answer = await super().get_response(path, scope)
        except ValueError:
            raise HTTPException(404) from None
        if answer.status_code in (200, 304):
            answer.headers["Cache-Control"] = "no-cache"
        if answer.status_code == 200:
            answer.headers["Content-Type"] = _type_of(path)
        return answer


def _hidden(path: str) -> bool:
    return any(part.startswith(".") and part != "." for part in path.replace(os.sep, "/").split("/"))


def _type_of(path: str) -> str:
    ending = os.path.splitext(path)[1].lower()
    if not ending:
        return _TYPES[".html"]
    return _TYPES.get(ending) or mimetypes.guess_type(path)[0] or "application/octet-stream"
