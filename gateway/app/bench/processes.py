"""What a running process has used, read from /proc; and short helpers to start and end one."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import Unavailable

_TICKS = os.sysconf("SC_CLK_TCK")
_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def cpu_seconds(pid: int) -> float:
    """User and system time of a process since its start, all threads. Raises `Unavailable` where it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError as error:
        raise Unavailable(f"process {pid} has ended in the middle of the measurement: see its log") from error
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_memory_mb(pid: int) -> float:
    """The most memory a process ever had in use (`VmHWM`). Raises `Unavailable` where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError as error:
        raise Unavailable(f"process {pid} has ended in the middle of the measurement: see its log") from error
    return next((int(line.split()[1]) / 1024.0 for line in lines if line.startswith("VmHWM:")), 0.0)


def memory_share_mb(pid: int) -> tuple[float, float]:
    """What a process has in memory now: its share (`Pss`, what it has alone and its part of what it shares) and `Rss`.

    Raises `Unavailable` where it has ended.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError as error:
        raise Unavailable(f"process {pid} has ended in the middle of the measurement: see its log") from error
    sizes = {name: int(size.split()[0]) / 1024.0 for name, _, size in (line.partition(":") for line in lines[1:])}
    return sizes["Pss"], sizes["Rss"]


def with_children(pids: Iterable[int]) -> list[int]:
    """The processes and those they have started, without the threads of any."""
    found = list(pids)
    for pid in found:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def die_with_parent() -> None:
    """For `preexec_fn`: the kernel ends the process when the bench is gone, however it went."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def program(module: str, *arguments: str, stdin: str = "") -> Iterator[subprocess.Popen[str]]:
    """A Python module run as a process of its own, killed at the end if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, nothing of Python
    )
    try:
        if process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
            process.stdin = None
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def finish(process: subprocess.Popen[str], name: str, within: float) -> str:
    """What the process printed. Raises `Unavailable` where it failed, or did not end in time."""
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"{name} was not done after {within:.0f} s: the machine is too busy, or it is stuck"
        ) from None
    if process.returncode:
        raise Unavailable(f"{name} failed: {_last(err.splitlines())}")
    return out


def _last(lines: Sequence[str]) -> str:
    return lines[-1] if lines else "it said nothing"
