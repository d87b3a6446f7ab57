"""What an emulated plan takes of the machine, counted before anything is made: what `netarium check` shows."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST_BYTES = 350_000
"""Memory of the kernel for a network namespace with its TAP device (8,192 of them took 2.8 GB)."""
PROGRAM_BYTES = 4_000_000
"""Memory of a small program such as iperf3, most of it shared."""
FILES_BESIDE = 128
FILES_PER_PROGRAM = 4
TUN_DEVICE = Path("/dev/net/tun")


@dataclass(frozen=True)
class Tally:
    """Counts, and bytes of memory."""

    hosts: int
    taps: int
    programs: int
    files: int
    memory_bytes: int


def tally_of(emulation: Any) -> Tally:
    """What a plan's real hosts take."""
    hosts, programs = len(emulation.hosts), len(emulation.programs)
    taps = sum(len(host.interfaces) for host in emulation.hosts)
    files = FILES_BESIDE + hosts + taps + FILES_PER_PROGRAM * programs
    return Tally(hosts, taps, programs, files, hosts * HOST_BYTES + programs * PROGRAM_BYTES)


def missing(emulation: Any) -> list[str]:
    """What this machine seems to lack, a sentence each with what to do; the run itself tells for certain."""
    import resource

    import psutil

    from netarium.units import format_size

    found = [
        f"{program} is not installed; apt install {package}"
        for program, package in emulation.packages
        if shutil.which(program) is None
    ]
    if not TUN_DEVICE.exists():
        found.append(f"no {TUN_DEVICE}; modprobe tun; in a container: --device {TUN_DEVICE}")
    taken = tally_of(emulation)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and taken.files > hard:
        found.append(f"{taken.files:,} open files are needed and {hard:,} allowed; ulimit -Hn {taken.files}")
    free = psutil.virtual_memory().available
    if taken.memory_bytes > free:
        found.append(
            f"{format_size(taken.memory_bytes)} of memory are needed and {format_size(free)} are free"
        )
    return found
