"""The plan: a compiled trial. Arrays for the kernel, and the names that give them meaning again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from netarium.compile.admission import Admission
from netarium.compile.graph import Graph
from netarium.compile.hosts import Emulation
from netarium.errors import MachineCannot
from netarium.units import format_size


@dataclass(frozen=True)
class Capture:
    """A port whose packets are kept: its index, the most packets, the bytes of each (snap length), from when to when."""

    port: int
    port_name: str
    packets: int
    snap_bytes: int
    from_ps: int = 0
    to_ps: int | None = None


@dataclass(frozen=True)
class Estimate:
    """What a run will take, before it runs: events, bytes of memory, seconds (at the measured pace of common machines)."""

    events: int
    packet_hops: int
    memory_bytes: int
    wall_s: float

    def require_memory(self) -> None:
        """Raises MachineCannot when the run would need more memory than this machine has free."""
        import psutil

        free = psutil.virtual_memory().available
        if self.memory_bytes > free:
            raise MachineCannot(
                f"this run would need about {format_size(self.memory_bytes)} of memory, and {format_size(free)} are free: "
                "fewer flows or ports, a longer probes.interval, or a larger machine"
            )


@dataclass(frozen=True, eq=False)
class Plan:
    """All that the engine needs. `arrays` are initial contents of kernel arrays by name (run/kernel/memory.py).

    watched_ports int32[W]: ports with a series. tracked_flows int64[V]: how many flows of each service have one.
    """

    trial: Any
    graph: Graph
    admission: Admission
    arrays: dict[str, np.ndarray]
    route_span: int
    ecmp: bool
    duration_ps: int
    sample_times_ps: np.ndarray
    service_names: tuple[str, ...]
    service_kinds: tuple[str, ...]
    service_header_bytes: np.ndarray
    watched_ports: np.ndarray
    tracked_flows: np.ndarray
    captures: tuple[Capture, ...]
    user_functions: tuple[Any, ...]
    estimate: Estimate
    assumptions: tuple[str, ...]
    emulation: Emulation | None = None
    stream_names: tuple[tuple[str | int, ...], ...] = ()
    """The entity of each random stream: with another seed, another key for each (compile/keys.py)."""
    array_digests: dict[str, tuple[np.ndarray, bytes]] = field(default_factory=dict, repr=False)
    """Arrays with their digests, as far as they were asked for: a plan with another seed has nearly all in common."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over all that decides the samples: arrays, duration, sample instants, the user's own files."""
        digest = hashlib.sha256()
        for name in sorted(self.arrays):
            array = self.arrays[name]
            known = self.array_digests.get(name)
            if known is None or known[0] is not array:
                known = self.array_digests[name] = (array, _digest_of(name, array))
            digest.update(known[1])
        digest.update(repr((self.duration_ps, self.route_span, self.ecmp)).encode())
        digest.update(self.sample_times_ps.tobytes())
        for function in self.user_functions:
            digest.update(repr(function).encode())
        if self.emulation is not None:
            digest.update(repr(self.emulation).encode())
        return digest.hexdigest()


def _digest_of(name: str, array: np.ndarray) -> bytes:
    """SHA-256 over name, shape and contents of an array, field by field: padding does not count."""
    digest = hashlib.sha256(f"{name} {array.shape}\n".encode())
    for column in array.dtype.names or (None,):
        part = array if column is None else array[column]
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.digest()
