"""The memory of a run: every array of the engine, and how each grows between two steps of the loop."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

import numpy as np

from . import records as r
from .impairments import IMPAIRMENT
from .jit import INTERPRETED, view
from .queues.clock import CLOCK
from .queues.gates import GATE
from .queues.policer import SLICE
from .queues.streams import FILTER, METER
from .real.records import REAL_FIELDS
from .traces import TRACE, TRACE_POINT

I4, I8, F8 = np.dtype("i4"), np.dtype("i8"), np.dtype("f8")

FIELDS: dict[str, tuple[np.dtype, int]] = {
    "packets": (r.PACKET, 1),
    "ports": (r.PORT, 1),
    "queues": (r.QUEUE, 1),
    "streams": (r.STREAM, 1),
    "conns": (r.CONN, 1),
    "segments": (r.SEGMENT, 1),
    "again": (I8, 1),
    "ranges": (r.RANGE, 1),
    "sacks": (r.SACKS, 1),
    "routes": (I8, 1),
    "groups": (I4, 2),
    "columns": (I4, 1),
    "gateways": (I4, 1),
    "access_groups": (I4, 1),
    "group_first": (I4, 1),
    "group_count": (I4, 1),
    "group_ports": (I4, 1),
    "flows": (r.FLOW, 1),
    "services": (r.SERVICE, 1),
    "slices": (SLICE, 1),
    "clocks": (CLOCK, 1),
    "gates": (GATE, 1),
    "filters": (FILTER, 1),
    "meters": (METER, 1),
    "sources": (r.SOURCE, 1),
    "transports": (r.TRANSPORT, 1),
    "pairs": (r.PAIR, 1),
    "hooks": (I8, 1),
    "drops": (I8, 2),
    "acks": (r.ACK_SAMPLE, 1),
    "impairments": (IMPAIRMENT, 1),
    "traces": (TRACE, 1),
    "trace_points": (TRACE_POINT, 1),
    "events": (r.EVENT, 1),
    "near": (r.NEAR_EVENT, 1),
    "days": (I8, 1),
    "weeks": (I8, 1),
    "day_first": (I4, 1),
    "actions": (r.ACTION, 1),
    "counters": (r.COUNTERS, 1),
    "pool": (r.POOL, 1),
    "latency": (I8, 2),
    "rtt": (I8, 2),
    "cdf": (F8, 2),
    "captures": (r.CAPTURE, 1),
    "captured": (r.CAPTURED, 1),
    "replay": (I8, 2),
    "port_row": (I8, 2),
    **REAL_FIELDS,
}
"""Name of each array -> its dtype and number of dimensions."""
_POSITIONS = {name: 3 * rank for rank, name in enumerate(FIELDS)}
_SIZES = [-(-dtype.itemsize // 64) * 64 for dtype, _ in FIELDS.values()]
_PLACES = dict(zip(FIELDS, accumulate(_SIZES[:-1], initial=0), strict=True))
"""Where the one element of each array that a run does not have lies in the block of all of them."""
_BLOCK_BYTES = sum(_SIZES)

as_sim = view(FIELDS)


def aligned(shape: int | tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros whose first element begins a cache line (64 bytes)."""
    count = math.prod(shape) if isinstance(shape, tuple) else shape
    raw = np.zeros(count * dtype.itemsize + 64, np.uint8)
    return np.ndarray(shape, dtype, raw, -raw.__array_interface__["data"][0] % 64)


class Memory:
    """The arrays of one run as attributes, and the handle under which compiled code sees them."""

    def __init__(self, **arrays: np.ndarray) -> None:
        """arrays: any of FIELDS; the others get one zeroed element."""
        self._table = np.zeros(3 * len(FIELDS), np.int64)
        self.handle: Any = self if INTERPRETED else int(self._table.ctypes.data)
        """What kernels take as `address`: the table's address, or in interpreted mode the arrays themselves."""
        block = aligned(_BLOCK_BYTES, np.dtype(np.uint8))
        for name, (dtype, ndim) in FIELDS.items():
            given = arrays.pop(name, None)
            self.put(name, np.ndarray((1,) * ndim, dtype, block, _PLACES[name]) if given is None else given)
        if arrays:
            raise KeyError(f"no such arrays in a run: {sorted(arrays)}")

    def put(self, name: str, array: np.ndarray) -> None:
        """Set an array; it must have the dtype and dimensions of FIELDS and be contiguous."""
        dtype, ndim = FIELDS[name]
        if array.dtype != dtype or array.ndim != ndim or not array.flags.c_contiguous:
            raise TypeError(
                f"array {name}: {array.dtype} with {array.ndim} dimensions, expected {dtype} with {ndim}"
            )
        setattr(self, name, array)
        position = _POSITIONS[name]
        self._table[position] = array.ctypes.data
        self._table[position + 1 : position + 1 + ndim] = array.shape

    def grow(self, name: str, count: int) -> None:
        """Lengthen an array to `count` elements along its first axis, keeping what it holds."""
        old: Any = getattr(self, name)
        new = aligned((count, *old.shape[1:]), FIELDS[name][0])
        new[: len(old)] = old
        self.put(name, new)

    def nbytes(self) -> int:
        """Bytes held by all arrays."""
        return sum(getattr(self, name).nbytes for name in FIELDS)
