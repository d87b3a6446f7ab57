"""Frames of captured packets: of real hosts as they were; of models Ethernet, IPv4 and TCP or UDP headers synthesised.

The engine counts segments and needs no addresses; the frames have both (docs/kinds/captures.md). Node n is
10.x.y.z with x.y.z = n + 1. The end that opens a connection has an ephemeral port, the other that of its
service. Sequence numbers begin at 0 (the SYN); payload is zeros.
"""

from __future__ import annotations

import numpy as np

from netarium.run.captured import CaptureTable
from netarium.run.kernel.records import ACK, CONTROL, CWR, DATA, DATAGRAM, ECE, FRAME
from netarium.run.kernel.transport.handshake import REQUEST, SYN, SYN_ACK

ETHERNET_BYTES, IP_BYTES, TCP_BYTES, UDP_BYTES = 14, 20, 20, 8
OPTION_ROOM = 40
HEADER = np.dtype(
    [
        ("eth_dst", "u1", 6),
        ("eth_src", "u1", 6),
        ("eth_type", ">u2"),
        ("ip_version", "u1"),
        ("ip_tos", "u1"),
        ("ip_length", ">u2"),
        ("ip_id", ">u2"),
        ("ip_fragment", ">u2"),
        ("ip_ttl", "u1"),
        ("ip_protocol", "u1"),
        ("ip_checksum", ">u2"),
        ("ip_src", ">u4"),
        ("ip_dst", ">u4"),
        ("src_port", ">u2"),
        ("dst_port", ">u2"),
        ("seq", ">u4"),
        ("ack", ">u4"),
        ("offset", "u1"),
        ("flags", "u1"),
        ("window", ">u2"),
        ("checksum", ">u2"),
        ("urgent", ">u2"),
        ("options", "u1", OPTION_ROOM),
    ]
)
"""Everything before the payload, options at their longest; UDP's eight bytes end within `seq`."""
IPV4, DONT_FRAGMENT, TTL = 0x0800, 0x4000, 64
PROTOCOL_TCP, PROTOCOL_UDP = 6, 17
FLAG_SYN, FLAG_PSH, FLAG_ACK, FLAG_ECE, FLAG_CWR = 0x02, 0x08, 0x10, 0x40, 0x80
NETWORK = 10 << 24
LOCAL_MAC = (0x02, 0)
"""First bytes of the MAC addresses: locally administered."""
EPHEMERAL_FIRST, EPHEMERAL_COUNT = 32_768, 16_384
SERVICE_FIRST, SERVICE_COUNT = 50_000, 15_000
TICK_PS = 10**9
"""A millisecond: the clock of time stamps (RFC 7323 section 5.4)."""
NOP, MSS, WINDOW_SCALE, SACK_PERMITTED, SACK_BLOCKS, TIME_STAMPS = 1, 2, 3, 4, 5, 8
TIME_STAMP_ROOM = 12
LARGEST_WINDOW = 65_535


def contents(table: CaptureTable, kept: np.ndarray, room: int) -> np.ndarray:
    """uint8[n, room]: the first `kept` bytes of each captured frame: of real ones what was kept, of models synthesised."""
    rows = np.zeros((len(table.packets), room), np.uint8)
    modelled = np.flatnonzero(table.packets["kind"] != FRAME)
    synthesised = headers(table, modelled).view(np.uint8).reshape(len(modelled), HEADER.itemsize)[:, :room]
    rows[modelled, : synthesised.shape[1]] = synthesised
    rows[np.arange(room) >= kept[:, None]] = 0
    real = table.packets["kind"] == FRAME
    for row, at, length in zip(
        np.flatnonzero(real), table.packets["seq"][real], np.minimum(kept, room)[real], strict=True
    ):
        rows[row, :length] = table.real_bytes[at : at + length]
    return rows


def headers(table: CaptureTable, which: np.ndarray | None = None) -> np.ndarray:
    """HEADER[n] of packets of models (which: their numbers); a frame is its header cut to its length, then zeros."""
    packets, flow_of = table.packets, table.flow_of
    if which is not None:
        packets, flow_of = packets[which], flow_of[which]
    frames = np.zeros(len(packets), HEADER)
    if not len(packets):
        return frames
    flows = table.flows[flow_of]
    _link(frames, table)
    backward = _backward(packets, flows)
    _internet(frames, packets, flows, backward)
    _ports(frames, flows, backward)
    _tcp(frames, packets, flows)
    _udp(frames, packets)
    return frames


def frame_bytes(table: CaptureTable) -> np.ndarray:
    """int64[n]: bytes of the frames on the wire, without preamble, check sequence and gap."""
    modelled = table.packets["size_bytes"].astype(np.int64) + ETHERNET_BYTES
    return np.where(table.packets["kind"] == FRAME, table.packets["start"][:, 1], modelled)


def kept_bytes(table: CaptureTable) -> np.ndarray:
    """int64[n]: how many of them are in the capture."""
    kept = np.minimum(frame_bytes(table), table.snap_bytes)
    return np.where(table.packets["kind"] == FRAME, np.minimum(kept, table.packets["start"][:, 0]), kept)


def _backward(packets: np.ndarray, flows: np.ndarray) -> np.ndarray:
    """bool[n]: goes from the data's receiver to its sender."""
    control = packets["kind"] == CONTROL
    opener = packets["seq"] != SYN_ACK
    return (packets["kind"] == ACK) | (control & (opener == (flows["pull"] == 1)))


def _link(frames: np.ndarray, table: CaptureTable) -> None:
    for name, node in (("eth_src", table.source), ("eth_dst", table.target)):
        frames[name] = np.frombuffer(bytes(LOCAL_MAC) + (node + 1).to_bytes(4, "big"), np.uint8)
    frames["eth_type"] = IPV4


def _internet(frames: np.ndarray, packets: np.ndarray, flows: np.ndarray, backward: np.ndarray) -> None:
    """IPv4 (RFC 791), ECN field (RFC 3168), never fragmented (RFC 6864: the identification says nothing)."""
    frames["ip_version"] = 0x45
    frames["ip_tos"] = packets["ecn"]
    frames["ip_length"] = packets["size_bytes"]
    frames["ip_id"] = packets["seq"] & 0xFFFF
    frames["ip_fragment"] = DONT_FRAGMENT
    frames["ip_ttl"] = TTL
    frames["ip_protocol"] = np.where(flows["tcp"] == 1, PROTOCOL_TCP, PROTOCOL_UDP)
    frames["ip_src"] = NETWORK + 1 + np.where(backward, flows["dst"], flows["src"])
    frames["ip_dst"] = NETWORK + 1 + np.where(backward, flows["src"], flows["dst"])
    start = ETHERNET_BYTES
    frames["ip_checksum"] = _checksum(_words(frames, start, start + IP_BYTES).sum(axis=1))


def _ports(frames: np.ndarray, flows: np.ndarray, backward: np.ndarray) -> None:
    ephemeral = EPHEMERAL_FIRST + flows["number"] % EPHEMERAL_COUNT
    service = SERVICE_FIRST + flows["service"] % SERVICE_COUNT
    from_opener = backward == (flows["pull"] == 1)
    frames["src_port"] = np.where(from_opener, ephemeral, service)
    frames["dst_port"] = np.where(from_opener, service, ephemeral)


def _tcp(frames: np.ndarray, packets: np.ndarray, flows: np.ndarray) -> None:
    """TCP (RFC 9293): numbers, flags, window and options; a checksum for a payload of zeros."""
    which = np.flatnonzero(flows["tcp"] == 1)
    if not len(which):
        return
    packets, flows, rows = packets[which], flows[which], frames[which]
    kind, step = packets["kind"], packets["seq"]
    data, ack, control = kind == DATA, kind == ACK, kind == CONTROL
    syn = control & ((step == SYN) | (step == SYN_ACK))
    asked = flows["request_bytes"]
    position = _byte_of(flows, packets["seq"])
    rows["seq"] = np.where(data, position, np.where(ack, 1 + asked, ~syn)) & 0xFFFFFFFF
    acknowledged = np.where(data, 1 + asked, np.where(ack, position, step != SYN))
    rows["ack"] = acknowledged & 0xFFFFFFFF
    flags = np.where(control & (step == SYN), 0, FLAG_ACK) | np.where(syn, FLAG_SYN, 0)
    ends = data & (flows["size_bytes"] > 0) & (packets["seq"] + 1 == _segments(flows))
    flags |= np.where(ends | (control & (step == REQUEST) & (asked > 0)), FLAG_PSH, 0)
    flags |= np.where((packets["flags"] & ECE != 0) & ack, FLAG_ECE, 0)
    flags |= np.where((packets["flags"] & CWR != 0) & data, FLAG_CWR, 0)
    offers_ecn = syn & (flows["ecn"] == 1)
    flags |= np.where(offers_ecn, FLAG_ECE, 0) | np.where(offers_ecn & (step == SYN), FLAG_CWR, 0)
    rows["flags"] = flags
    shift = _window_shift(flows["window_bytes"])
    rows["window"] = np.minimum(flows["window_bytes"] >> np.where(syn, 0, shift), LARGEST_WINDOW)
    time_stamps = flows["header_bytes"] > IP_BYTES + TCP_BYTES
    lengths = np.where(time_stamps, TIME_STAMP_ROOM, 0)
    _syn_options(rows, syn, flows, shift, time_stamps)
    _time_stamps(rows, np.where(syn, 6, 2), time_stamps, packets)
    _sack_blocks(rows, lengths, packets, flows)
    sacks = np.where(packets["blocks"] > 0, 4 + 8 * packets["blocks"].astype(np.int64), 0)
    lengths = np.where(syn, 20, lengths + sacks)
    rows["offset"] = ((TCP_BYTES + lengths) // 4) << 4
    rows["checksum"] = _transport_checksum(rows, packets["size_bytes"])
    frames[which] = rows


def _byte_of(flows: np.ndarray, segment: np.ndarray) -> np.ndarray:
    """Sequence number at which a segment begins, the SYN counted; a sized flow ends where its size does."""
    position = segment * flows["mss_bytes"]
    return 1 + np.where(flows["size_bytes"] > 0, np.minimum(position, flows["size_bytes"]), position)


def _segments(flows: np.ndarray) -> np.ndarray:
    """Segments of flows with a size."""
    return -(-flows["size_bytes"] // np.maximum(flows["mss_bytes"], 1))


def _window_shift(window_bytes: np.ndarray) -> np.ndarray:
    """Window scale (RFC 7323): the least shift with which 16 bits hold the window."""
    shift = np.zeros(len(window_bytes), np.int64)
    for _ in range(14):
        shift += (window_bytes >> shift) > LARGEST_WINDOW
    return shift


def _syn_options(
    rows: np.ndarray, syn: np.ndarray, flows: np.ndarray, shift: np.ndarray, time_stamps: np.ndarray
) -> None:
    """MSS, SACK-permitted, time stamps, window scale, in Linux' order; what is not offered is padding."""
    options = rows["options"]
    options[syn, :20] = NOP
    mss = flows["mss_bytes"] + flows["header_bytes"] - IP_BYTES - TCP_BYTES
    _put(options, syn, 0, (MSS, 4, mss >> 8, mss))
    _put(options, syn & (flows["sack"] == 1), 4, (SACK_PERMITTED, 2))
    _put(options, syn & (shift > 0), 17, (WINDOW_SCALE, 3, shift))
    _put(options, ~syn & time_stamps, 0, (NOP, NOP))


def _time_stamps(rows: np.ndarray, offset: np.ndarray, time_stamps: np.ndarray, packets: np.ndarray) -> None:
    """Values of the time stamp option at its offset in each row: the sender's clock, and what it echoes."""
    kind = packets["kind"]
    echoes = (kind == ACK) | ((kind == CONTROL) & (packets["seq"] == SYN_ACK))
    sent_ms = packets["sent_ps"] // TICK_PS
    value = np.where(echoes, packets["time_ps"] // TICK_PS, sent_ms)
    echo = np.where(echoes, sent_ms, 0)
    for at in (2, 6):
        content = (TIME_STAMPS, 10, *_four(value), *_four(echo))
        _put(rows["options"], time_stamps & (offset == at), at, content)


def _sack_blocks(rows: np.ndarray, before: np.ndarray, packets: np.ndarray, flows: np.ndarray) -> None:
    """SACK blocks (RFC 2018) behind `before` bytes of options."""
    count = packets["blocks"].astype(np.int64)
    for at in np.unique(before[count > 0]).tolist():
        having = (count > 0) & (before == at)
        _put(rows["options"], having, at, (NOP, NOP, SACK_BLOCKS, 2 + 8 * count))
        for block in range(packets["start"].shape[1]):
            first = _byte_of(flows, packets["start"][:, block])
            end = _byte_of(flows, packets["end"][:, block])
            _put(rows["options"], having & (count > block), at + 4 + 8 * block, (*_four(first), *_four(end)))


def _udp(frames: np.ndarray, packets: np.ndarray) -> None:
    """UDP (RFC 768): length and checksum stand where TCP has its sequence number."""
    which = np.flatnonzero(packets["kind"] == DATAGRAM)
    if not len(which):
        return
    rows, sizes = frames[which], packets["size_bytes"][which]
    length = (sizes - IP_BYTES).astype(np.int64)
    rows["seq"] = length << 16
    checksum = _transport_checksum(rows, sizes)
    rows["seq"] = (length << 16) | np.where(checksum == 0, 0xFFFF, checksum)
    frames[which] = rows


def _put(options: np.ndarray, which: np.ndarray, at: int, content: tuple) -> None:
    """Write bytes (numbers, or one for each row) into the options of some rows."""
    for place, value in enumerate(content, start=at):
        options[which, place] = (np.asarray(value)[which] if np.ndim(value) else value) & 0xFF


def _four(value: np.ndarray) -> tuple[np.ndarray, ...]:
    """The four bytes of a number, largest first."""
    return tuple(value >> shift for shift in (24, 16, 8, 0))


def _words(frames: np.ndarray, first: int, end: int) -> np.ndarray:
    """The frames' bytes first..end-1 as 16-bit numbers, int64[n, words]."""
    raw = np.ascontiguousarray(frames).view(np.uint8).reshape(len(frames), HEADER.itemsize)[:, first:end]
    return raw[:, 0::2].astype(np.int64) * 256 + raw[:, 1::2]


def _checksum(total: np.ndarray) -> np.ndarray:
    """The Internet checksum (RFC 1071) of sums of 16-bit words."""
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _transport_checksum(rows: np.ndarray, size_bytes: np.ndarray) -> np.ndarray:
    """Checksum of header and pseudo header; a payload of zeros adds nothing."""
    total = _words(rows, ETHERNET_BYTES + IP_BYTES, HEADER.itemsize).sum(axis=1)
    for name in ("ip_src", "ip_dst"):
        address = rows[name].astype(np.int64)
        total += (address >> 16) + (address & 0xFFFF)
    return _checksum(total + rows["ip_protocol"] + size_bytes - IP_BYTES)
