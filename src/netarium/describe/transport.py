"""Transports: udp and tcp, with the options of tcp that matter for what a trial measures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from netarium.describe.part import Part, kind_first
from netarium.errors import Mistake
from netarium.units import Size, Time

MS_PS = 10**9
SECOND_PS = 10**12

CongestionWord = Literal["reno", "cubic", "cubic_rfc9438", "bbr", "dctcp"]
Auto = Literal["auto"]


class UserCongestion(Part):
    """A congestion control from the user's own Python file."""

    file: str
    """Python file, relative to the trial file."""
    name: str
    """Name in that file."""
    parameters: dict[str, float] = {}
    """Numbers that the code gets."""


class DelayedAck(Part):
    """When a receiver acknowledges (RFC 1122 section 4.2.3.2, RFC 5681 section 4.2)."""

    every: Annotated[int, Field(ge=1, le=64, strict=True)] = 2
    """Full-sized segments per acknowledgement."""
    timeout: Time = 40 * MS_PS
    """Longest time an acknowledgement waits."""


class Udp(Part):
    """User datagrams (RFC 768): no recovery, no congestion control."""

    kind: Literal["udp"] = "udp"


def _which(value: Any) -> str:
    """Which form a value has that is either a word (or a size, or false) or a mapping."""
    return "<mapping>" if isinstance(value, (dict, Part)) else "<word>"


def _auto_or_size(value: Any) -> str:
    return "<word>" if value == "auto" else "<size>"


def _acks(value: Any) -> Any:
    return {} if value is True else value


Buffer = Annotated[
    Annotated[Auto, Tag("<word>")] | Annotated[Size, Tag("<size>")], Discriminator(_auto_or_size)
]
Congestion = Annotated[
    Annotated[CongestionWord, Tag("<word>")] | Annotated[UserCongestion, Tag("<mapping>")],
    Discriminator(_which),
]
Acks = Annotated[
    Annotated[Literal[False], Tag("<word>")] | Annotated[DelayedAck, Tag("<mapping>")],
    Discriminator(_which),
    BeforeValidator(_acks),
]


class Tcp(Part):
    """TCP with selective acknowledgements (RFC 9293, RFC 2018, RFC 6675)."""

    kind: Literal["tcp"] = "tcp"
    congestion: Congestion = "cubic"
    """reno, cubic, cubic_rfc9438, bbr, dctcp, or {file, name} of your own."""
    sack: bool = True
    """Selective acknowledgements (RFC 2018)."""
    ecn: bool = False
    """Explicit congestion notification (RFC 3168); true with dctcp, which needs it."""
    pacing: bool | None = None
    """Spread packets over the round trip; default: where the congestion control asks for it."""
    delayed_ack: Acks = Field(default_factory=DelayedAck)
    """{every, timeout}, or false to acknowledge every segment at once."""
    send_buffer: Buffer = "auto"
    """Bytes the sender may keep unacknowledged; auto never limits."""
    receive_buffer: Buffer = "auto"
    """Bytes the receiver may keep; limits the window it offers; auto never limits."""
    window_scaling: bool = True
    """Windows above 65,535 bytes (RFC 7323 section 2)."""
    initial_window: Annotated[int, Field(ge=1, le=1000, strict=True)] = 10
    """Segments (RFC 6928)."""
    min_rto: Time = 200 * MS_PS
    """Smallest retransmission timeout; Linux has 200 ms where RFC 6298 section 2.4 says 1 s."""
    max_rto: Time = 60 * SECOND_PS
    """Largest retransmission timeout (RFC 6298 section 2.5)."""
    hystart: bool = True
    """Leave slow start early when the delay rises (HyStart; with cubic_rfc9438 HyStart++, RFC 9406); cubic only."""
    timestamps: bool = True
    """Timestamps option (RFC 7323 section 3), 12 bytes a segment."""
    mss: Annotated[int, Field(ge=64, le=65495, strict=True)] | None = None
    """Payload bytes of a full segment; default: what the MTU of the path leaves."""

    @model_validator(mode="before")
    @classmethod
    def _marks(cls, data: Any) -> Any:
        """dctcp works by marks: it has ecn without being told."""
        return {"ecn": True, **data} if isinstance(data, dict) and data.get("congestion") == "dctcp" else data

    @model_validator(mode="after")
    def _consistent(self) -> Tcp:
        if self.min_rto > self.max_rto:
            raise Mistake("min_rto above max_rto", "min_rto <= max_rto", at=("min_rto",))
        if not self.ecn and self.congestion == "dctcp":
            raise Mistake("false", "true with dctcp, which works by marks", at=("ecn",))
        return self


def _tcp_unless_said(value: Any) -> Any:
    return kind_first(value, default="tcp")


Transport = Annotated[Tcp | Udp, Field(discriminator="kind"), BeforeValidator(_tcp_unless_said)]
