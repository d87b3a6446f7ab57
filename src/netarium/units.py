"""Quantities: text such as "50 Gbit/s" to exact canonical numbers and back, and their pydantic types.

Canonical forms: Rate int bit/s, Time int ps, Size int bytes, Length float m, Ratio float 0..1, Frequency
float per second. A value finer than its canonical unit is rounded to the nearest; one that would round to
nothing is refused, as is one that does not fit in a signed 64-bit integer. Decimal (kB) and binary (KiB)
prefixes are those of SI and IEC 80000-13; `bit` and `B` are always written out, so "10 Mb" or "10 mbps" is
refused instead of guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from netarium.errors import Mistake, nearest

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

SECOND_PS = 10**12
DAY_PS = 86_400 * SECOND_PS
INT64_MAX = 2**63 - 1

_NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*((?:[^0-9,.\s].*?)?)\s*")

_DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}


@dataclass(frozen=True)
class Dimension:
    """One kind of quantity: its units, and the ones it is written back in (largest first)."""

    name: str
    article: str
    units: dict[str, Decimal]
    written: tuple[str, ...]
    example: str
    integer: bool = True
    bare: bool = False
    largest: float | None = None
    spellings: tuple[tuple[str, str], ...] = ()

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def expected(self) -> str:
        return f'{self.article} with its unit, such as "{self.example}"'


def _scaled(table: dict[str, int], suffix: str, factor: Decimal = Decimal(1)) -> dict[str, Decimal]:
    return {prefix + suffix: factor * scale for prefix, scale in table.items()}


RATE = Dimension(
    name="rate",
    article="a rate",
    units=_scaled(_DECIMAL, "bit/s")
    | _scaled(_BINARY, "bit/s")
    | _scaled(_DECIMAL, "B/s", Decimal(8))
    | _scaled(_BINARY, "B/s", Decimal(8)),
    written=("Tbit/s", "Gbit/s", "Mbit/s", "kbit/s", "bit/s"),
    example="10 Gbit/s",
    spellings=tuple(
        (spelling, f"{prefix}bit/s")
        for prefix in _DECIMAL
        for spelling in (f"{prefix}bps", f"{prefix}b/s", f"{prefix}bit", f"{prefix}bits/s", f"{prefix}b")
    ),
)
TIME = Dimension(
    name="time",
    article="a time",
    units={
        "ps": Decimal(1),
        "ns": Decimal(10**3),
        "us": Decimal(10**6),
        "µs": Decimal(10**6),
        "μs": Decimal(10**6),
        "ms": Decimal(10**9),
        "s": Decimal(SECOND_PS),
        "min": Decimal(60 * SECOND_PS),
        "h": Decimal(3600 * SECOND_PS),
        "d": Decimal(DAY_PS),
    },
    written=("s", "ms", "us", "ns", "ps"),
    example="20 ms",
    spellings=(
        ("sec", "s"), ("secs", "s"), ("second", "s"), ("seconds", "s"), ("msec", "ms"), ("usec", "us"),
        ("nsec", "ns"), ("minute", "min"), ("minutes", "min"), ("m", "min"), ("hour", "h"), ("hours", "h"),
        ("hr", "h"), ("day", "d"), ("days", "d"),
    ),
)  # fmt: skip
SIZE = Dimension(
    name="size",
    article="a size",
    units=_scaled(_DECIMAL, "B") | _scaled(_BINARY, "B"),
    written=("PB", "PiB", "TB", "TiB", "GB", "GiB", "MB", "MiB", "kB", "KiB", "B"),
    example="64 KiB",
    spellings=tuple((spelling, "kB") for spelling in ("KB", "K", "k", "kb", "Kb"))
    + tuple(
        (f"{prefix}{word}", f"{prefix}B") for prefix in ("", "M", "G", "T") for word in ("", "b", "bytes")
    )
    + tuple((word, "B") for word in ("byte", "bytes", "Byte", "Bytes", "octets")),
)
LENGTH = Dimension(
    name="length",
    article="a length",
    units={"m": Decimal(1), "km": Decimal(1000)},
    written=("km", "m"),
    example="1150 km",
    integer=False,
    spellings=(("Km", "km"), ("KM", "km"), ("M", "m"), ("meter", "m"), ("metre", "m"), ("kilometers", "km")),
)
RATIO = Dimension(
    name="ratio",
    article="a ratio",
    units={"%": Decimal(1) / 100, "": Decimal(1)},
    written=("",),
    example="1 %",
    integer=False,
    bare=True,
    largest=1.0,
    spellings=(("percent", "%"), ("pct", "%")),
)
FREQUENCY = Dimension(
    name="frequency",
    article="a number per second",
    units={"/s": Decimal(1), "/ms": Decimal(1000), "/us": Decimal(10**6), "/min": Decimal(1) / 60},
    written=("/s",),
    example="1000 /s",
    integer=False,
    spellings=(("Hz", "/s"), ("per second", "/s"), ("1/s", "/s"), ("rps", "/s"), ("pps", "/s")),
)

DIMENSIONS = {d.name: d for d in (RATE, TIME, SIZE, LENGTH, RATIO, FREQUENCY)}


def parse(value: object, dimension: Dimension) -> int | float:
    """`value` in the canonical unit of `dimension`: int for rate, time and size; float otherwise.

    A string is number and unit; a bare 0 is allowed everywhere, another bare number only for a ratio.
    Raises Mistake with what was found, what is expected and the nearest valid spelling.
    """
    number, unit = _split(value, dimension)
    factor = dimension.units.get(unit)
    if factor is None:
        if unit == "" and number == 0:
            factor = Decimal(1)
        else:
            raise _wrong_unit(value, number, unit, dimension)
    exact = number * factor
    if exact.adjusted() > 30 or exact > INT64_MAX:
        raise Mistake(repr(value), f"{dimension.article} of at most {_largest(dimension)}")
    if dimension.largest is not None and exact > Decimal(dimension.largest):
        raise Mistake(
            repr(value), f"{dimension.article} from 0 to 1 (0 % to 100 %)", _percent_hint(number, unit)
        )
    if not dimension.integer:
        return float(exact)
    rounded = int(exact.to_integral_value())
    if rounded == 0 and exact != 0:
        raise Mistake(repr(value), f"{dimension.article} of at least 1 {dimension.written[-1]}")
    return rounded


def _split(value: object, dimension: Dimension) -> tuple[Decimal, str]:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise Mistake(_found(value), dimension.expected)
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value)
        if match is None:
            raise Mistake(repr(value), dimension.expected, _number_hint(value))
        return Decimal(match[1]), match[2]
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or number < 0:
        raise Mistake(str(value), dimension.expected)
    return number, ""


def _found(value: object) -> str:
    kinds = {dict: "a mapping", list: "a list", bool: "a yes/no value", type(None): "nothing"}
    word = kinds.get(type(value), type(value).__name__)
    return f"{word} ({value!r})" if isinstance(value, bool) else word


def _number_hint(text: str) -> str:
    if text.strip().startswith("-"):
        return "quantities are not negative"
    if re.match(r"\s*[0-9]+(,[0-9]+)+", text):
        return f"write {text.replace(',', '').strip()!r}, or a point for decimals"
    return ""


def _percent_hint(number: Decimal, unit: str) -> str:
    return f"did you mean '{number.normalize():f} %'?" if unit == "" and number <= 100 else ""


def _largest(dimension: Dimension) -> str:
    if dimension is TIME:
        return "106 d"
    return f"{INT64_MAX:.2e} {dimension.written[-1]}".strip()


def _wrong_unit(value: object, number: Decimal, unit: str, dimension: Dimension) -> Mistake:
    shown = format(number.normalize(), "f")
    if unit == "":
        unit_of_example = dimension.example.split(" ", 1)[1]
        hint = f"a number needs its unit, for example '{shown} {unit_of_example}'"
        return Mistake(repr(value), dimension.expected, hint)
    expected = f"{dimension.article} in {_unit_list(dimension)}"
    for other in DIMENSIONS.values():
        if other is not dimension and unit in other.units:
            return Mistake(f"{value!r}, which is {other.article}", expected)
    near = dict(dimension.spellings).get(unit) or nearest(unit, dimension.units)
    return Mistake(repr(value), expected, f"did you mean '{shown} {near}'?" if near else "")


def _unit_list(dimension: Dimension) -> str:
    lists = {
        "rate": "bit/s, kbit/s, Mbit/s, Gbit/s, Tbit/s (or B/s, kB/s, KiB/s, …)",
        "time": "ps, ns, us, ms, s, min, h, d",
        "size": "B, kB, MB, GB, TB (or KiB, MiB, GiB, TiB)",
        "length": "m, km",
        "ratio": "%, or a number from 0 to 1",
        "frequency": "/s, /ms, /us, /min",
    }
    return lists[dimension.name]


_ZERO = {"time": "s"}


def write(value: int | float, dimension: Dimension) -> str:
    """Text that parses to exactly `value`, in the unit that makes it shortest (larger units first)."""
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if exact == 0:
        return f"0 {_ZERO.get(dimension.name, dimension.written[-1])}".strip()
    if dimension is SIZE and exact < 10_000:
        return f"{exact:f} B"
    best = ""
    for unit in dimension.written:
        scaled = exact / dimension.units[unit]
        text = f"{scaled.normalize():f}"
        back = Decimal(text) * dimension.units[unit]
        if back != exact or (scaled < 1 and unit != dimension.written[-1]):
            continue
        if not best or len(text) + 1 < len(best.split(" ")[0]):
            best = f"{text} {unit}".strip()
    return best or f"{exact:f} {dimension.written[-1]}".strip()


def _short(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    for scale, unit in steps:
        if abs(value) >= scale:
            return f"{_significant(value / scale)} {unit}"
    scale, unit = steps[-1]
    return f"{_significant(value / scale)} {unit}"


def _significant(number: float) -> str:
    text = f"{number:.4g}" if abs(number) < 9999.5 else f"{number:.0f}"
    return f"{float(text):.0f}" if "e" in text else text


def format_rate(rate_bps: float) -> str:
    """A rate in bit/s as short text for people, four significant digits: "48.21 Gbit/s"."""
    return _short(rate_bps, tuple((float(RATE.units[u]), u) for u in RATE.written))


def format_time(time_ps: float) -> str:
    """A time in ps as short text for people: "1.5 ms"; above two minutes in min, h or d."""
    steps = tuple((float(TIME.units[u]), u) for u in TIME.written)
    if abs(time_ps) >= 120 * SECOND_PS:
        steps = tuple((float(TIME.units[u]), u) for u in ("d", "h", "min"))
    return _short(time_ps, steps)


def format_size(size_bytes: float) -> str:
    """A size in bytes as short text for people, in decimal units: "72 TB"."""
    return _short(size_bytes, tuple((float(SIZE.units[u]), u) for u in ("PB", "TB", "GB", "MB", "kB", "B")))


def format_length(length_m: float) -> str:
    """A length in m as short text for people: "1150 km"."""
    return _short(length_m, ((1000.0, "km"), (1.0, "m")))


def _si(value: int | float, dimension: Dimension) -> float:
    return value / SECOND_PS if dimension is TIME else float(value)


class Value(float):
    """A number in SI units (s, bit/s, B, m, 1) that remembers how it was written and its dimension.

    Used where the dimension depends on something else, as in an expectation. `dimension` is None for a bare
    number.
    """

    text: str
    dimension: str | None

    def __new__(cls, text: object) -> Value:
        number, dimension = _parse_any(text)
        self = super().__new__(cls, number)
        self.text = text.text if isinstance(text, Value) else str(text) if dimension else f"{number!r}"
        self.dimension = dimension
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (Value, (self.text if self.dimension else float(self),))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> Any:
        from pydantic_core import core_schema as cs

        def written(value: Value) -> str | float:
            return value.text if value.dimension else float(value)

        return cs.no_info_plain_validator_function(
            cls, serialization=cs.plain_serializer_function_ser_schema(written)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: GetJsonSchemaHandler) -> dict[str, object]:
        units = sorted({u for d in DIMENSIONS.values() for u in d.units if u}, key=lambda u: (-len(u), u))
        pattern = rf"^\s*{_NUMBER}\s*({'|'.join(re.escape(u) for u in units)})?\s*$"
        return {
            "anyOf": [{"type": "number"}, {"type": "string", "pattern": pattern}],
            "description": "a quantity with its unit, or a number in SI units",
        }


def _parse_any(value: object) -> tuple[float, str | None]:
    """(`value` in SI units, name of its dimension or None for a bare number)."""
    if isinstance(value, Value):
        return float(value), value.dimension
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value != value or value in (float("inf"), float("-inf")):
            raise Mistake(str(value), "a finite number, or a quantity with its unit")
        return float(value), None
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    expected = 'a quantity with its unit, such as "48 Gbit/s" or "10 ms", or a number in SI units'
    if match is None:
        raise Mistake(repr(value), expected)
    if match[2] == "":
        return float(match[1]), None
    for dimension in DIMENSIONS.values():
        if match[2] in dimension.units:
            if dimension is RATIO:  # a comparison may well ask for more than 100 %
                return float(Decimal(match[1]) * dimension.units[match[2]]), dimension.name
            return _si(parse(value, dimension), dimension), dimension.name
    spelled = {wrong: right for d in (SIZE, TIME, RATE) for wrong, right in d.spellings}
    near = spelled.get(match[2]) or nearest(match[2], [u for d in DIMENSIONS.values() for u in d.units if u])
    raise Mistake(repr(value), expected, f"did you mean '{match[1]} {near}'?" if near else "")


@dataclass(frozen=True)
class Quantity:
    """Annotation that makes pydantic parse, check, write and describe one dimension."""

    dimension: Dimension
    positive: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> Any:
        from pydantic_core import core_schema as cs

        def from_text(value: object) -> int | float:
            number = parse(value, self.dimension)
            if self.positive and number == 0:
                raise Mistake(repr(value), f"{self.dimension.article} above 0")
            return number

        def written(value: int | float) -> str | float:
            return value if self.dimension.bare else write(value, self.dimension)

        return cs.no_info_plain_validator_function(
            from_text, serialization=cs.plain_serializer_function_ser_schema(written)
        )

    def __get_pydantic_json_schema__(
        self, schema: object, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return json_schema(self.dimension)


def json_schema(dimension: Dimension) -> dict[str, object]:
    """JSON Schema of one dimension: a string with a pattern, or (bare) 0, or a number from 0 to 1."""
    units = sorted((u for u in dimension.units if u), key=lambda u: (-len(u), u))
    pattern = rf"^\s*{_NUMBER}\s*({'|'.join(re.escape(u) for u in units)}){'?' if dimension.bare else ''}\s*$"
    text: dict[str, object] = {"type": "string", "pattern": pattern, "examples": [dimension.example]}
    number: dict[str, object] = (
        {"type": "number", "minimum": 0, "maximum": 1} if dimension.bare else {"const": 0}
    )
    return {"anyOf": [text, number], "description": f"{dimension.article}, such as {dimension.example}"}


def parser(dimension: Dimension) -> Callable[[object], int | float]:
    """The parsing function of one dimension, for text outside a model (a CSV column, a flag)."""
    return lambda value: parse(value, dimension)


Rate = Annotated[int, Quantity(RATE)]
Time = Annotated[int, Quantity(TIME)]
Size = Annotated[int, Quantity(SIZE)]
Length = Annotated[float, Quantity(LENGTH)]
Ratio = Annotated[float, Quantity(RATIO)]
Frequency = Annotated[float, Quantity(FREQUENCY)]
PositiveRate = Annotated[int, Quantity(RATE, positive=True)]
PositiveTime = Annotated[int, Quantity(TIME, positive=True)]
PositiveSize = Annotated[int, Quantity(SIZE, positive=True)]
PositiveFrequency = Annotated[float, Quantity(FREQUENCY, positive=True)]
