"""Queue disciplines: one model per kind, with tc's names and parameters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from netarium.describe import tsn
from netarium.describe.part import Name, Part, kind_first
from netarium.describe.tsn import Ats, Cbs, Cqf, Mqprio, Psfp, Taprio
from netarium.errors import Mistake, did_you_mean, one_of
from netarium.units import Rate, Ratio, Size, Time, format_size

MS_PS = 10**9
PRIOMAP = (1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)  # tc-prio(8), default of the Linux kernel

Packets = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
Priority = Annotated[int, Field(ge=0, le=15, strict=True)]


class Pfifo(Part):
    """First in, first out, limited in packets."""

    kind: Literal["pfifo"] = "pfifo"
    limit: Packets = 1000
    """Packets that may wait; 1000 is the transmit queue length of a Linux interface."""


class Bfifo(Part):
    """First in, first out, limited in bytes."""

    kind: Literal["bfifo"] = "bfifo"
    limit: Size
    """Bytes that may wait."""


class Prio(Part):
    """Strict priority: a band is served only while all bands before it are empty."""

    kind: Literal["prio"] = "prio"
    bands: Annotated[int, Field(ge=2, le=16, strict=True)] = 3
    priomap: tuple[Annotated[int, Field(ge=0, le=15, strict=True)], ...] = PRIOMAP
    """Band of each of the 16 priorities."""
    child: Queue = Field(default_factory=Pfifo)
    """Queue of each band."""

    @model_validator(mode="after")
    def _map_fits(self) -> Prio:
        if len(self.priomap) != 16:
            raise Mistake(f"{len(self.priomap)} numbers", "16, one per priority", at=("priomap",))
        if max(self.priomap) >= self.bands:
            raise Mistake(f"band {max(self.priomap)}", f"bands from 0 to {self.bands - 1}", at=("priomap",))
        return self


class DrrClass(Part):
    """One class of drr: its share, the priorities that go into it, its queue."""

    quantum: Size | None = None
    """Bytes per round; exactly one of quantum and weight."""
    weight: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Share relative to the other classes: weight 1 is one MTU per round."""
    priorities: tuple[Priority, ...] = ()
    """Priorities (0 to 15) that go into this class."""
    queue: Queue = Field(default_factory=Pfifo)

    @model_validator(mode="after")
    def _one_share(self) -> DrrClass:
        if (self.quantum is None) == (self.weight is None):
            found = "neither" if self.quantum is None else "both"
            raise Mistake(found, "exactly one of quantum and weight")
        return self


class Drr(Part):
    """Deficit round robin: classes share the link by their quantum or weight."""

    kind: Literal["drr"] = "drr"
    classes: dict[Name, DrrClass] = Field(min_length=1)
    default: Name | None = None
    """Class of the priorities that no class names; the last class if not stated."""

    @model_validator(mode="after")
    def _classes_fit(self) -> Drr:
        _check_classes(self.classes, self.default)
        return self


class HtbClass(Part):
    """One class of htb: a rate it is sure of, a ceiling it may borrow up to."""

    rate: Rate
    """Rate the class is sure of."""
    ceil: Rate | None = None
    """Rate it may reach by borrowing; default: rate."""
    burst: Size | None = None
    """Bytes it may send at once; default: one millisecond at `ceil`, at least two MTU."""
    priorities: tuple[Priority, ...] = ()
    """Priorities (0 to 15) that go into this class."""
    prio: Annotated[int, Field(ge=0, le=7, strict=True)] = 0
    """Classes with a smaller prio borrow first."""
    queue: Queue = Field(default_factory=Pfifo)

    @model_validator(mode="after")
    def _rates_fit(self) -> HtbClass:
        if self.rate <= 0:
            raise Mistake("0", "a rate above 0", at=("rate",))
        if self.ceil is not None and self.ceil < self.rate:
            raise Mistake("less than rate", "a ceil of at least the rate", at=("ceil",))
        return self


class Htb(Part):
    """Class shaping: every class has a rate of its own and may borrow what others leave."""

    kind: Literal["htb"] = "htb"
    classes: dict[Name, HtbClass] = Field(min_length=1)
    default: Name | None = None
    """Class of the priorities that no class names; the last class if not stated."""

    @model_validator(mode="after")
    def _classes_fit(self) -> Htb:
        _check_classes(self.classes, self.default)
        return self


class Tbf(Part):
    """Token bucket filter: shapes to a rate, with bursts."""

    kind: Literal["tbf"] = "tbf"
    rate: Rate
    burst: Size
    """Depth of the bucket."""
    limit: Size | None = None
    """Bytes that may wait; exactly one of limit and latency."""
    latency: Time | None = None
    """Longest wait: sets the limit to rate x latency + burst."""

    @model_validator(mode="after")
    def _one_limit(self) -> Tbf:
        if (self.limit is None) == (self.latency is None):
            raise Mistake("neither" if self.limit is None else "both", "exactly one of limit and latency")
        if self.rate <= 0:
            raise Mistake("0", "a rate above 0", at=("rate",))
        return self


class Red(Part):
    """Random early detection (Floyd and Jacobson 1993), on the average queue in bytes."""

    kind: Literal["red"] = "red"
    limit: Size
    """Bytes that may wait."""
    min: Size
    """Average queue at which marking starts."""
    max: Size
    """Average queue at which the probability is reached."""
    avpkt: Size = 1000
    """Average packet, used with burst to set the averaging."""
    burst: Annotated[int, Field(ge=1, strict=True)] | None = None
    """Packets that may come at once; default (2 min + max) / (3 avpkt), as tc-red(8) advises."""
    probability: Ratio = 0.02
    """Marking probability when the average reaches max."""
    ecn: bool = False
    """Mark packets that can carry a mark instead of dropping them."""
    bandwidth: Rate | None = None
    """Rate used while idle; default: the rate of the port."""

    @model_validator(mode="after")
    def _ordered(self) -> Red:
        if not 0 < self.min < self.max <= self.limit:
            sizes = (format_size(self.min), format_size(self.max), format_size(self.limit))
            raise Mistake("min {}, max {}, limit {}".format(*sizes), "0 < min < max <= limit")
        return self


class Codel(Part):
    """Controlled delay (RFC 8289)."""

    kind: Literal["codel"] = "codel"
    limit: Packets = 1000
    target: Time = 5 * MS_PS
    interval: Time = 100 * MS_PS
    ecn: bool = False
    ce_threshold: Time | None = None
    """Mark every packet that waited longer than this."""


class FqCodel(Part):
    """Fair queues with controlled delay (RFC 8290)."""

    kind: Literal["fq_codel"] = "fq_codel"
    limit: Packets = 10240
    flows: Annotated[int, Field(ge=1, le=65536, strict=True)] = 1024
    quantum: Size | None = None
    """Bytes per round; default: the MTU of the link plus its 14 bytes of header."""
    target: Time = 5 * MS_PS
    interval: Time = 100 * MS_PS
    ecn: bool = True
    memory_limit: Size = 32 * 2**20


class Pie(Part):
    """Proportional integral controller enhanced (RFC 8033)."""

    kind: Literal["pie"] = "pie"
    limit: Packets = 1000
    target: Time = 15 * MS_PS
    tupdate: Time = 15 * MS_PS
    alpha: Annotated[float, Field(ge=0, le=32)] = 2
    """In sixteenths of 1/s, as tc-pie(8) counts: 2 is RFC 8033's 0.125."""
    beta: Annotated[float, Field(ge=0, le=32)] = 20
    """In sixteenths of 1/s: 20 is RFC 8033's 1.25."""
    ecn: bool = False
    bytemode: bool = False


class UserQueue(Part):
    """A queue from the user's own Python file."""

    kind: Literal["user"] = "user"
    file: str
    """Python file, relative to the trial file."""
    name: str
    """Name in that file."""
    parameters: dict[str, float] = {}


def _check_classes(classes: dict[str, Any], default: str | None) -> None:
    if default is not None and default not in classes:
        raise Mistake(
            repr(default),
            f"the name of a class: {one_of(classes)}",
            did_you_mean(default, classes),
            at=("default",),
        )
    taken: dict[int, str] = {}
    for name, part in classes.items():
        for priority in part.priorities:
            if priority in taken:
                found = f"priority {priority}, which class {taken[priority]!r} has already"
                raise Mistake(found, "each priority in one class", at=("classes", name, "priorities"))
            taken[priority] = name


Queue = Annotated[
    Pfifo | Bfifo | Prio | Drr | Htb | Tbf | Red | Codel | FqCodel | Pie | UserQueue
    | Mqprio | Cbs | Taprio | Cqf | Ats | Psfp,
    Field(discriminator="kind"),
    BeforeValidator(kind_first),
]  # fmt: skip

for _model in (Prio, DrrClass, Drr, HtbClass, Htb):
    _model.model_rebuild()
for _outer in tsn.OUTER:
    _outer.model_rebuild(_types_namespace={"Queue": Queue})
