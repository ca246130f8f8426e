"""A visitor's code as a picture."""

from __future__ import annotations

import io

import segno

#: Modules of white around the code, as the standard wants, and pixels a module.
_BORDER, _SCALE = 4, 8


def draw(code: str, format: str) -> tuple[str, bytes]:
    """Media type and bytes of the QR code: `svg` or `png`, black on white whatever the screen's colours."""
    made = segno.make(code, error="m", micro=False)
    out = io.BytesIO()
    if format == "png":
        made.save(out, kind="png", scale=_SCALE, border=_BORDER, light="white")
        return "image/png", out.getvalue()
    made.save(out, kind="svg", scale=_SCALE, border=_BORDER, light="white", xmldecl=False, svgns=True, omitsize=False)
    return "image/svg+xml", out.getvalue()
