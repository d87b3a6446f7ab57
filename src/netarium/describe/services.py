"""Services: what runs on the network. One model per kind; the fields they share are in `Service`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from netarium.catalog import DISTRIBUTIONS
from netarium.describe.command import Command
from netarium.describe.part import Hop, Name, Names, NodeName, Part
from netarium.describe.transport import Transport
from netarium.errors import Mistake, did_you_mean, one_of
from netarium.units import (
    PositiveFrequency,
    PositiveRate,
    PositiveSize,
    PositiveTime,
    Ratio,
    Size,
    Time,
    format_time,
)

LOOP_WINDOW = 32
"""Messages of a control loop that may be on their way within their deadline."""

Pairs = Literal["each", "all", "permutation", "random"]


def _count_or_paths(value: Any) -> str:
    return "<list>" if isinstance(value, (list, tuple)) else "<number>"


class Service(Part):
    """What every service has."""

    kind: str
    from_: Names = Field(alias="from")
    """Where it sends from: a node, a group, a pattern such as "h*" (hosts first), or a list of these."""
    to: Names
    """Where it sends to: a node, a group, a pattern, or a list of these."""
    pairs: Pairs | None = None
    """How from and to combine; needed when both are several nodes."""
    count: Annotated[int, Field(ge=1, le=10_000_000, strict=True)] = 1
    """Instances of every pair."""
    start: Time = 0
    """When it starts."""
    stop: Time | None = None
    """Default: the end of the trial."""
    slice_: Name | None = Field(default=None, alias="slice")
    """The slice that carries it."""
    transport: Transport | None = None
    """Default: the trial's transport (udp for a stream)."""
    priority: Annotated[int, Field(ge=0, le=15, strict=True)] = 0
    """0 to 15, as SO_PRIORITY; queues with classes go by it."""
    path: tuple[Hop, ...] | None = None
    """The nodes it passes, from first to last, `node#2` by the second of parallel links; default: the routing decides."""
    modelled: bool | None = None
    """Emulated trials: true keeps it inside the engine, without programs on real hosts; default: true for kinds
    that no program plays."""

    @property
    def slice(self) -> str | None:
        """Name of the slice that carries the service, or None."""
        return self.slice_

    @model_validator(mode="after")
    def _times_in_order(self) -> Service:
        if self.stop is not None and self.stop <= self.start:
            raise Mistake("a stop before the start", "stop after start", at=("stop",))
        return self


class Bulk(Service):
    """A transfer as fast as the transport allows: a size, or until it stops."""

    kind: Literal["bulk"] = "bulk"
    size: PositiveSize | None = None
    """Bytes of each instance; default: until stop."""
    streams: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 1
    """Connections the transfer is split over."""


class Stream(Service):
    """Packets at a rate, whatever the network does."""

    kind: Literal["stream"] = "stream"
    rate: PositiveRate
    """Rate of the IP packets; of the on periods when on_off."""
    packet_size: Annotated[Size, Field(ge=29, le=65535)] | None = None
    """IP packet; default: the MTU of the path."""
    pattern: Literal["constant", "poisson", "on_off"] = "constant"
    """When packets leave: at equal distances, at random, or in bursts."""
    on: PositiveTime | None = None
    """Mean of the on periods (exponential); on_off only."""
    off: PositiveTime | None = None
    """Mean of the off periods (exponential); on_off only."""
    size: PositiveSize | None = None
    """Bytes of payload to send; default: until stop."""
    replication: Replication | None = None
    """Send every packet on several paths (udp only)."""

    @model_validator(mode="after")
    def _periods(self) -> Stream:
        if self.pattern == "on_off" and (self.on is None or self.off is None):
            raise Mistake("pattern on_off without its periods", "on and off, such as on: 10 ms, off: 90 ms")
        if self.pattern != "on_off" and not (self.on is None and self.off is None):
            raise Mistake(f"on or off with pattern {self.pattern}", "pattern: on_off", at=("pattern",))
        return self


class Replication(Part):
    """Every packet on several paths, the first to come is delivered (IEEE 802.1CB)."""

    paths: (
        Annotated[Literal[2], Tag("<number>")]
        | Annotated[tuple[tuple[NodeName, ...], ...], Field(min_length=2, max_length=4), Tag("<list>")]
    ) = Field(default=2, discriminator=Discriminator(_count_or_paths))
    """2: the two paths without a common router that are shortest together; or two to four paths, each a list of nodes."""
    history_length: Annotated[int, Field(ge=2, le=256, strict=True)] = 64
    """frerSeqRcvyHistoryLength: how far back a packet may come and still be told from a repeated one."""
    reset: PositiveTime = 10**12
    """frerSeqRcvyResetMSec: after so long without an accepted packet the next is accepted, whatever its number."""


class Sizes(Part):
    """Where flow sizes come from: exactly one of the three."""

    distribution: str | None = None
    """Name of a built-in distribution."""
    file: str | None = None
    """CDF file (lines `size percent`), relative to the trial file."""
    fixed: PositiveSize | None = None
    """The same size every time."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Sizes:
        if sum(value is not None for value in (self.distribution, self.file, self.fixed)) != 1:
            stated = [f for f in ("distribution", "file", "fixed") if getattr(self, f) is not None]
            raise Mistake(" and ".join(stated) or "none", "exactly one of distribution, file and fixed")
        if self.distribution is not None and self.distribution not in DISTRIBUTIONS:
            hint = did_you_mean(self.distribution, DISTRIBUTIONS) or "your own goes in as {file: name.cdf}"
            raise Mistake(repr(self.distribution), one_of(DISTRIBUTIONS), hint, at=("distribution",))
        return self


def _sizes(value: Any) -> Any:
    """A word is a distribution; a quantity is a fixed size."""
    if isinstance(value, str):
        return {"fixed": value} if value[:1].isdigit() else {"distribution": value}
    return value


class RequestResponse(Service):
    """Flows that arrive at random, with sizes from a distribution."""

    kind: Literal["request_response"] = "request_response"
    sizes: Annotated[Sizes, BeforeValidator(_sizes)]
    """{distribution: websearch}, {file: my.cdf} or {fixed: 20 kB}."""
    request: Size = 100
    """Bytes of the request that asks for each flow."""
    load: Ratio | None = None
    """Arrivals such that the flows fill this part of the senders' access rate; load or arrivals."""
    arrivals: PositiveFrequency | None = None
    """Flows per second of each pair, such as "1000 /s"; load or arrivals."""

    @model_validator(mode="after")
    def _one_intensity(self) -> RequestResponse:
        if (self.load is None) == (self.arrivals is None):
            raise Mistake("neither" if self.load is None else "both", "exactly one of load and arrivals")
        if self.load == 0:
            raise Mistake("0", "a load above 0", at=("load",))
        return self


class Replay(Service):
    """Packets or flows from a CSV file."""

    kind: Literal["replay"] = "replay"
    file: str
    """CSV file, relative to the trial file."""
    unit: Literal["packets", "flows"] = "packets"
    """Whether a line `time,size` is a packet or a transfer."""


class ControlLoop(Service):
    """Small messages at a fixed period, each of use only until its deadline."""

    kind: Literal["control_loop"] = "control_loop"
    period: PositiveTime
    """Time between messages."""
    deadline: PositiveTime | None = None
    """How old a message may be when it arrives; default: the period."""
    size: Annotated[Size, Field(ge=1, le=65507)] = 64
    """Payload of a message; one packet."""
    stagger: bool = False
    """Start the flows of the service spread evenly over one period, instead of all at once."""
    replication: Replication | None = None
    """Send every message on several paths."""

    @property
    def deadline_ps(self) -> int:
        """The deadline."""
        return self.deadline or self.period

    @model_validator(mode="after")
    def _judged_in_time(self) -> ControlLoop:
        if self.deadline_ps > LOOP_WINDOW * self.period:
            raise Mistake(
                format_time(self.deadline_ps),
                f"at most {LOOP_WINDOW} periods, which is {format_time(LOOP_WINDOW * self.period)}",
                at=("deadline",),
            )
        if self.transport is not None and self.transport.kind != "udp":
            raise Mistake(self.transport.kind, "udp: a late message is not sent again", at=("transport",))
        return self


class MatrixFile(Part):
    """A traffic matrix from a file."""

    file: str
    """CSV file with the columns from,to,rate, relative to the trial file."""


def _matrix(value: Any) -> str:
    return "<mapping>" if isinstance(value, (dict, Part)) else "<word>"


class Demands(Service):
    """A traffic matrix: every pair of nodes with its share of a total."""

    kind: Literal["demands"] = "demands"
    from_: Names | None = Field(default=None, alias="from")
    """Default: all hosts, or all nodes where there are no hosts."""
    to: Names | None = None
    """Default: as from."""
    matrix: Annotated[
        Annotated[Literal["gravity", "sndlib", "uniform"], Tag("<word>")]
        | Annotated[MatrixFile, Tag("<mapping>")],
        Discriminator(_matrix),
    ]
    """gravity, uniform, sndlib (the demands of the topology), or {file: demands.csv}."""
    total: PositiveRate | None = None
    """Sum of all demands; needed for gravity and uniform, scales the others."""
    using: Literal["stream", "bulk"] = "stream"
    """stream: packets at the rate of the demand; bulk: transfers of that rate times the time they run."""

    @model_validator(mode="after")
    def _total_known(self) -> Demands:
        if self.total is None and self.matrix in ("gravity", "uniform"):
            raise Mistake("no total", "total: the sum of all demands, such as 100 Gbit/s")
        if self.pairs is not None:
            raise Mistake(f"pairs: {self.pairs}", "no pairs: the matrix says which", at=("pairs",))
        return self


class Custom(Service):
    """A workload from the user's own Python file."""

    kind: Literal["user"] = "user"
    file: str
    """Python file, relative to the trial file."""
    name: str
    """Name in that file."""
    parameters: dict[str, float] = {}
    """Numbers that the code gets."""


AnyService = Annotated[
    Bulk | Stream | RequestResponse | Replay | Demands | ControlLoop | Custom | Command,
    Field(discriminator="kind"),
]
