"""iperf3's JSON (iperf3 -J, versions 3.1 and later): what its two ends counted, in SI units."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from netarium.errors import RecordError

INTERRUPTED = "interrupt"


@dataclass(frozen=True)
class Result:
    """One client's report. What it does not say is None. received_bytes: None too when the client was interrupted, because
    the server's count comes last."""

    protocol: str
    seconds: float
    streams: int
    sent_bytes: int
    received_bytes: int | None
    retransmissions: int | None
    rtt_s: tuple[float, float, float] | None
    """min, mean, max of what the sending kernel measured, over all streams."""
    packets: int | None
    lost_packets: int | None
    jitter_s: float | None
    interrupted: bool


def read(text: str) -> Result:
    """The result in a text. Raises RecordError when it is no report of a client, or one of a failure."""
    try:
        data = json.loads(text)
    except ValueError:
        raise RecordError(f"found {text[:60]!r}, expected the JSON of iperf3 (iperf3 --json)") from None
    end = data.get("end") if isinstance(data, dict) else None
    if not isinstance(end, dict) or not (end.get("sum_sent") or end.get("sum")):
        why = data.get("error") if isinstance(data, dict) else None
        raise RecordError(f"iperf3: {why or 'a report without results'}")
    test = data.get("start", {}).get("test_start", {})
    udp = str(test.get("protocol", "TCP")).upper() == "UDP"
    interrupted = INTERRUPTED in str(data.get("error", ""))
    sent = end.get("sum_sent") or end["sum"]
    received = end.get("sum_received") or ({} if not udp else end["sum"])
    got = received.get("bytes")
    lost = received if udp else {}
    return Result(
        protocol="udp" if udp else "tcp",
        seconds=float(sent["seconds"]),
        streams=int(test.get("num_streams", len(end.get("streams", [])) or 1)),
        sent_bytes=int(sent["bytes"]),
        received_bytes=None if interrupted or got is None else int(got),
        retransmissions=None if "retransmits" not in sent else int(sent["retransmits"]),
        rtt_s=None if udp else _rtt(end.get("streams", [])),
        packets=_whole(lost.get("packets")),
        lost_packets=None if interrupted else _whole(lost.get("lost_packets")),
        jitter_s=None if "jitter_ms" not in lost or interrupted else float(lost["jitter_ms"]) / 1e3,
        interrupted=interrupted,
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _rtt(streams: Iterable[Mapping[str, Any]]) -> tuple[float, float, float] | None:
    """Microseconds of each sender, together; streams that measured none have zeros."""
    senders = [one["sender"] for one in streams if one.get("sender", {}).get("mean_rtt")]
    if not senders:
        return None
    means = [one["mean_rtt"] for one in senders]
    low, high = min(one["min_rtt"] for one in senders), max(one["max_rtt"] for one in senders)
    return low / 1e6, sum(means) / len(means) / 1e6, high / 1e6


def summary(results: Iterable[Result]) -> dict[str, Any]:
    """The clients of one service together, with the names of the metrics document; what none of them says is left out."""
    every = list(results)
    if not every:
        return {}
    seconds = max(one.seconds for one in every)
    rates = [(one.sent_bytes if one.received_bytes is None else one.received_bytes) / one.seconds
             for one in every if one.seconds > 0]  # fmt: skip
    found: dict[str, Any] = {
        "program": "iperf3",
        "clients": len(every),
        "flows": sum(one.streams for one in every),
        "seconds": seconds,
        "goodput_bps": 8.0 * sum(rates),
        "sent_bytes": sum(one.sent_bytes for one in every),
    }
    if all(one.received_bytes is not None for one in every):
        found["delivered_bytes"] = sum(one.received_bytes or 0 for one in every)
    if all(one.retransmissions is not None for one in every):
        found["retransmissions"] = sum(one.retransmissions or 0 for one in every)
    rtts = [one.rtt_s for one in every if one.rtt_s is not None]
    if rtts:
        means = [mean for _, mean, _ in rtts]
        low, high = min(low for low, _, _ in rtts), max(high for _, _, high in rtts)
        found["rtt_s"] = {"min": low, "mean": sum(means) / len(means), "max": high}
    counted = [one for one in every if one.packets and one.lost_packets is not None]
    if counted:
        packets = sum(one.packets or 0 for one in counted)
        lost = sum(one.lost_packets or 0 for one in counted)
        found |= {"lost_packets": lost, "loss": lost / packets}
        found["jitter_s_max"] = max(one.jitter_s or 0.0 for one in counted)
    return found
