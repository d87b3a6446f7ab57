"""Queue disciplines of time-sensitive networks (IEEE 802.1Q): tc's names and parameters where tc has them, else
the standard's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from netarium.describe.part import Name, Names, Part
from netarium.errors import Mistake
from netarium.units import PositiveRate, PositiveSize, PositiveTime, Rate, Size, Time, format_time

if TYPE_CHECKING:
    from netarium.describe.queues import Queue

TRAFFIC_CLASSES = 8
"""IEEE 802.1Q-2022 section 8.6.6: at most eight traffic classes a port."""

TrafficClass = Annotated[int, Field(ge=0, le=TRAFFIC_CLASSES - 1)]
Priority = Annotated[int, Field(ge=0, le=15, strict=True)]


class Classes(Part):
    """What disciplines with traffic classes share; the class with the higher number is served first."""

    num_tc: Annotated[int, Field(ge=1, le=TRAFFIC_CLASSES, strict=True)] = TRAFFIC_CLASSES
    """Traffic classes."""
    map: tuple[TrafficClass, ...] | None = None
    """Class of each of the 16 priorities; default: its number, and the highest class above that."""
    queues: dict[TrafficClass, Queue] = {}
    """Queue of each class; pfifo of 1000 packets where not stated."""

    @property
    def class_of(self) -> tuple[int, ...]:
        """Class of each of the 16 priorities."""
        return self.map or tuple(min(priority, self.num_tc - 1) for priority in range(16))

    @model_validator(mode="after")
    def _classes_fit(self) -> Classes:
        if self.map is not None and len(self.map) != 16:
            raise Mistake(f"{len(self.map)} numbers", "16, one per priority", at=("map",))
        for at, named in (("map", self.map or ()), ("queues", self.queues)):
            if any(number >= self.num_tc for number in named):
                raise Mistake(f"class {max(named)}", f"classes from 0 to {self.num_tc - 1}", at=(at,))
        return self


class Mqprio(Classes):
    """Strict priority between traffic classes (IEEE 802.1Q-2022 section 8.6.8.1), a queue of its own for each."""

    kind: Literal["mqprio"] = "mqprio"


class Cbs(Part):
    """Credit-based shaper (IEEE 802.1Qav): a class sends while it has credit."""

    kind: Literal["cbs"] = "cbs"
    idleslope: PositiveRate
    """Credit per second while packets wait: the reserved rate, of bits on the wire."""
    sendslope: PositiveRate | None = None
    """Credit lost per second of sending; default, and only value of the standard: port rate - idleslope."""
    hicredit: Size | None = None
    """Most credit; default: no limit but what interference lets grow."""
    locredit: Size | None = None
    """Most debt; default: no limit but the largest packet."""
    limit: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] = 1000
    """Packets that may wait."""


def _mask(value: Any) -> Any:
    """A list of classes is the mask of their bits."""
    if not isinstance(value, (list, tuple)):
        return value
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < TRAFFIC_CLASSES:
            raise Mistake(repr(number), f"classes from 0 to {TRAFFIC_CLASSES - 1}")
    return sum(1 << number for number in set(value))


Gates = Annotated[
    int,
    BeforeValidator(_mask),
    Field(ge=0, le=2**TRAFFIC_CLASSES - 1, strict=True),
    PlainSerializer(lambda mask: [k for k in range(TRAFFIC_CLASSES) if mask >> k & 1], return_type=list),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": TRAFFIC_CLASSES - 1}},
                {"type": "integer", "minimum": 0, "maximum": 2**TRAFFIC_CLASSES - 1},
            ]
        }
    ),
]


class SchedEntry(Part):
    """One entry of a gate control list."""

    gates: Gates
    """Classes whose gates are open: a list such as [7, 0], or tc's mask such as 0x81."""
    interval: PositiveTime
    """How long, on the node's clock."""


class Taprio(Classes):
    """Time-aware gates (IEEE 802.1Qbv): each class sends only while its gate is open."""

    kind: Literal["taprio"] = "taprio"
    base_time: Time = 0
    """When a cycle begins, on the node's clock; cycles repeat before and after it."""
    cycle_time: PositiveTime | None = None
    """Length of the cycle; default: the sum of the intervals. The last entry lasts to its end."""
    sched_entries: tuple[SchedEntry, ...] = Field(min_length=1)
    """The gate control list."""
    max_sdu: dict[TrafficClass, PositiveSize] = {}
    """Largest IP packet of a class (queueMaxSDU); larger ones are dropped. Default: the link's MTU."""

    @property
    def cycle_ps(self) -> int:
        """Length of the cycle."""
        return self.cycle_time or sum(entry.interval for entry in self.sched_entries)

    @model_validator(mode="after")
    def _entries_fit(self) -> Taprio:
        total = sum(entry.interval for entry in self.sched_entries)
        if self.cycle_ps < total:
            found = f"{format_time(self.cycle_ps)}, and intervals of {format_time(total)} together"
            raise Mistake(found, "a cycle that holds its entries", at=("cycle_time",))
        if any(number >= self.num_tc for number in self.max_sdu):
            raise Mistake(
                f"class {max(self.max_sdu)}", f"classes from 0 to {self.num_tc - 1}", at=("max_sdu",)
            )
        for index, entry in enumerate(self.sched_entries):
            if entry.gates >> self.num_tc:
                found = f"class {entry.gates.bit_length() - 1}"
                at = ("sched_entries", index, "gates")
                raise Mistake(found, f"classes from 0 to {self.num_tc - 1}", at=at)
        return self


class Cqf(Part):
    """Cyclic queuing and forwarding (IEEE 802.1Qch): what comes in one cycle leaves in a later one."""

    kind: Literal["cqf"] = "cqf"
    cycle_time: PositiveTime
    """Length of a cycle, on the node's clock."""
    base_time: Time = 0
    """When a cycle begins, on the node's clock."""
    queues: Annotated[int, Field(ge=2, le=64, strict=True)] = 2
    """Buffers: one sends, the others fill."""
    mapping: Literal["arrival", "label"] = "arrival"
    """What the sending cycle is counted from: the cycle of arrival, or the cycle in which the neighbour sent."""
    shift: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] | None = None
    """Cycles from there to the sending one; default: 1 from arrival; from a label, the fewest that the link
    and the clocks allow."""
    guard: Time | None = None
    """Part of a cycle that stays empty; default: what the largest packet of other traffic takes to send."""
    priorities: tuple[Priority, ...] = (7,)
    """Priorities that are queued in cycles."""
    queue: Queue = Field(default_factory=lambda: _pfifo())
    """Queue of all others, served when the cycle's buffer is empty."""

    @model_validator(mode="after")
    def _cycles_fit(self) -> Cqf:
        if not self.priorities:
            raise Mistake("an empty list", "at least one priority", at=("priorities",))
        if self.mapping == "arrival" and (self.shift or 1) >= self.queues:
            found = f"shift {self.shift} with {self.queues} queues"
            raise Mistake(found, "more queues than shift", "one queue more", at=("shift",))
        return self


class Streams(Part):
    """Which streams something is for: of services, each flow a stream of its own; of slices, all they carry."""

    services: Names | None = None
    """Services: each of their flows is a stream with a state of its own."""
    slices: Names | None = None
    """Network slices: each is one stream."""

    @model_validator(mode="after")
    def _one_selection(self) -> Streams:
        if (self.services is None) == (self.slices is None):
            raise Mistake(
                "neither" if self.services is None else "both", "exactly one of services and slices"
            )
        return self


class AtsStream(Streams):
    """Streams with a scheduler each (IEEE 802.1Qcr)."""

    committed_information_rate: PositiveRate
    """Rate of IP packets that a stream is held to."""
    committed_burst_size: PositiveSize
    """Bytes that it may send at once."""


class Ats(Part):
    """Asynchronous traffic shaping (IEEE 802.1Qcr): every stream held to its rate and burst again at every hop."""

    kind: Literal["ats"] = "ats"
    streams: tuple[AtsStream, ...] = Field(min_length=1)
    """Streams and their parameters; packets of others are eligible at once."""
    max_residence_time: PositiveTime | None = None
    """A packet that would have to wait longer to be eligible is dropped; default: none is."""
    limit: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] = 10_000
    """Packets that may wait."""


class StreamGateEntry(Part):
    """One entry of a stream gate's control list."""

    gate: Literal["open", "close"]
    """Whether packets pass."""
    interval: PositiveTime
    """How long, on the node's clock."""
    maxoctets: PositiveSize | None = None
    """IP bytes that may pass in this interval; default: no limit."""


class StreamGate(Part):
    """A gate that streams pass on arrival (IEEE 802.1Qci)."""

    base_time: Time = 0
    """When a cycle begins, on the node's clock."""
    cycle_time: PositiveTime | None = None
    """Length of the cycle; default: the sum of the intervals. The last entry lasts to its end."""
    sched_entries: tuple[StreamGateEntry, ...] = Field(min_length=1)
    """The gate control list."""
    closed_due_to_invalid_rx: bool = False
    """Stay closed for good once a packet has come while the gate was closed."""

    @property
    def cycle_ps(self) -> int:
        """Length of the cycle."""
        return self.cycle_time or sum(entry.interval for entry in self.sched_entries)

    @model_validator(mode="after")
    def _entries_fit(self) -> StreamGate:
        total = sum(entry.interval for entry in self.sched_entries)
        if self.cycle_ps < total:
            found = f"{format_time(self.cycle_ps)}, and intervals of {format_time(total)} together"
            raise Mistake(found, "a cycle that holds its entries", at=("cycle_time",))
        return self


class Meter(Part):
    """A flow meter: two rates, three colours (MEF 10.3 section 12, to which IEEE 802.1Qci refers)."""

    cir: PositiveRate
    """Committed information rate, of IP packets."""
    cbs: PositiveSize
    """Committed burst size."""
    eir: Rate = 0
    """Excess information rate: packets beyond the committed ones are yellow up to this."""
    ebs: Size = 0
    """Excess burst size."""
    drop_on_yellow: bool = False
    """Drop yellow packets too."""
    mark_all_frames_red: bool = False
    """Drop everything once a packet has been red."""

    @model_validator(mode="after")
    def _excess(self) -> Meter:
        if (self.eir > 0) != (self.ebs > 0):
            found = "eir without ebs" if self.eir else "ebs without eir"
            raise Mistake(found, "both, or neither")
        return self


class PsfpStream(Streams):
    """Streams that are filtered and policed."""

    max_sdu: PositiveSize | None = None
    """Largest IP packet; larger ones are dropped."""
    blocked_due_to_oversize: bool = False
    """Drop all packets of the stream once one was larger."""
    gate: StreamGate | None = None
    """A gate that the packets must find open."""
    meter: Meter | None = None
    """A meter for each stream."""

    @model_validator(mode="after")
    def _does_something(self) -> PsfpStream:
        if self.max_sdu is None and self.gate is None and self.meter is None:
            raise Mistake("nothing to do", "at least one of max_sdu, gate and meter")
        return self


class Psfp(Part):
    """Per-stream filtering and policing (IEEE 802.1Qci) before another discipline."""

    kind: Literal["psfp"] = "psfp"
    streams: tuple[PsfpStream, ...] = Field(min_length=1)
    """Streams, and what is done with them; packets of others pass."""
    queue: Queue = Field(default_factory=lambda: _pfifo())
    """Discipline that takes what passes; any but psfp."""


def _pfifo() -> Any:
    from netarium.describe.queues import Pfifo

    return Pfifo()


MODELS: tuple[type[Part], ...] = (Mqprio, Cbs, Taprio, Cqf, Ats, Psfp)
OUTER: tuple[type[Part], ...] = (Classes, Mqprio, Taprio, Cqf, Psfp)
"""Those with queues inside."""


def stream_names(entry: Streams) -> tuple[str, tuple[Name, ...]]:
    """("services" or "slices", their names)."""
    return ("services", entry.services) if entry.services is not None else ("slices", entry.slices or ())
