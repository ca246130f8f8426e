"""What a process that has started gives back: it runs for months, and started once."""

from __future__ import annotations

import ctypes
import gc
import sys


def settle() -> None:
    """Collects what the start left behind, takes what stays out of the collector's sight, and returns free pages.

    The C library keeps what was freed for the next start-up that never comes; `malloc_trim` hands it to the system.
    Where there is none of it (musl, macOS) nothing else is lost.
    """
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
