"""pcapng: a capture as a file that tshark, Wireshark and dpkt read (draft-ietf-opsawg-pcapng).

One section with one interface, the port; an enhanced packet block for each packet, cut at the snap length;
instants in nanoseconds of virtual time.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import numpy as np

from netarium.run.captured import CaptureTable
from netarium.store.frames import contents, frame_bytes, kept_bytes

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER = 0x1A2B3C4D
ETHERNET = 1
COMMENT, APPLICATION = 1, 4
IF_NAME, IF_SPEED, IF_RESOLUTION = 2, 8, 9
NANOSECONDS = 9
"""if_tsresol: instants count 10**-9 s."""
NS_PS = 1000
BLOCK_HEAD = 28
"""Enhanced packet block: type, length, interface, two halves of the instant, captured and original length."""
PACKET_OVERHEAD = BLOCK_HEAD + 4 + 3
"""Most bytes of a block beside those of its packet."""
CHUNK_BYTES = 1 << 24
SYNTHESISED = "virtual time; of models: addresses, ports and numbers are synthesised, payload is zeros"


def write(file: Any, table: CaptureTable, comment: str, application: str) -> None:
    """Write a capture to a binary file."""
    file.write(_section(comment, application))
    file.write(_interface(table))
    lengths, kept = frame_bytes(table), kept_bytes(table)
    width = BLOCK_HEAD + _padded(int(kept.max(initial=0))) + 4
    step = max(1, CHUNK_BYTES // width)
    for first in range(0, len(lengths), step):
        part = slice(first, first + step)
        some = replace(table, packets=table.packets[part], flow_of=table.flow_of[part])
        content = contents(some, kept[part], width - BLOCK_HEAD - 4)
        times_ns = some.packets["time_ps"] // NS_PS
        file.write(_packets(content, lengths[part], kept[part], times_ns, width))


def _section(comment: str, application: str) -> bytes:
    options = _option(COMMENT, comment.encode()) + _option(APPLICATION, application.encode()) + _end()
    return _block(SECTION, struct.pack("<IHHq", BYTE_ORDER, 1, 0, -1) + options)


def _interface(table: CaptureTable) -> bytes:
    options = (
        _option(IF_NAME, table.port.encode())
        + _option(IF_SPEED, struct.pack("<Q", table.rate_bps))
        + _option(IF_RESOLUTION, bytes([NANOSECONDS]))
        + _end()
    )
    return _block(INTERFACE, struct.pack("<HHI", ETHERNET, 0, table.snap_bytes) + options)


def _packets(
    content: np.ndarray, lengths: np.ndarray, kept: np.ndarray, times_ns: np.ndarray, width: int
) -> bytes:
    """Enhanced packet blocks of some frames: rows as wide as the largest, cut to their own length each."""
    count = len(content)
    total = BLOCK_HEAD + _padded(kept) + 4
    rows = np.zeros((count, width), np.uint8)
    head = np.zeros((count, BLOCK_HEAD // 4), "<u4")
    head[:, 0], head[:, 1] = PACKET, total
    head[:, 3], head[:, 4] = times_ns >> 32, times_ns & 0xFFFFFFFF
    head[:, 5], head[:, 6] = kept, lengths
    rows[:, :BLOCK_HEAD] = head.view(np.uint8)
    rows[:, BLOCK_HEAD : BLOCK_HEAD + content.shape[1]] = content
    tail = np.ascontiguousarray(total, "<u4").view(np.uint8).reshape(count, 4)
    places = total[:, None] - 4 + np.arange(4)
    rows[np.arange(count)[:, None], places] = tail
    return rows[np.arange(width) < total[:, None]].tobytes()


def _padded(length: Any) -> Any:
    """Up to the next multiple of four."""
    return (length + 3) // 4 * 4


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _end() -> bytes:
    return struct.pack("<HH", 0, 0)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
