"""What every answer tells the browser to refuse, and what the page's policy allows."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_IMPORT_MAP = re.compile(r"<script\b[^>]*\btype\s*=\s*[\"']?importmap[\"']?[^>]*>(.*?)</script>", re.DOTALL | re.I)

_POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)


def policy(index_html: str = "") -> str:
    """The content security policy, with the hash of each import map in the page: those cannot be files."""
    hashes = ""
    for found in _IMPORT_MAP.finditer(index_html):
        # Browsers hash the text after newlines were normalised.
        text = found.group(1).replace("\r\n", "\n").replace("\r", "\n")
        digest = hashlib.sha256(text.encode()).digest()
        hashes += f" 'sha256-{base64.b64encode(digest).decode()}'"
    return _POLICY.format(scripts=hashes)


class PagePolicy:
    """The policy of a page's folder; follows `index.html` when it is edited."""

    def __init__(self, static: Path | None) -> None:
        self._index = static / "index.html" if static else None
        self._stamp: tuple[int, int] | None = None
        self._policy = policy()

    def current(self) -> str:
        """The policy for the index as it now is."""
        if self._index is None:
            return self._policy
        try:
            stat = self._index.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._policy = policy(self._index.read_text(encoding="utf-8"))
                self._stamp = stamp
        except (OSError, UnicodeDecodeError):
            self._stamp, self._policy = None, policy()
        return self._policy


class SecurityHeaders:
    """Middleware: the headers on every answer, refusals included. `tls` adds the demand to stay with TLS."""

    def __init__(self, app: ASGIApp, page: PagePolicy, tls: bool) -> None:
        self.app, self.page, self.tls = app, page, tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS:
                    headers[name] = value
                # A route may set a stricter policy of its own: files are served to be looked at, and nothing more.
                headers.setdefault("Content-Security-Policy", self.page.current())
                if self.tls:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, with_headers)
