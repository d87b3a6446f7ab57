"""The clock of a node: how far it is off, how fast it drifts, how often it is set right."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema, model_validator

from netarium.describe.part import Part
from netarium.errors import Mistake
from netarium.units import TIME, PositiveTime, format_time, parse, write

DRIFT_PPB_MAX = 1_000_000
"""A thousandth; IEEE 802.1AS-2020 section B.1.1 allows 100 ppm."""
OFFSET_PS_MAX = 10**12
_DRIFT = re.compile(r"\s*([+-]?)\s*([0-9]+(?:\.[0-9]+)?)\s*(ppm|ppb)\s*")
_SIGNED = re.compile(r"\s*([+-]?)\s*(.*)", re.DOTALL)


def _signed_time(value: Any) -> int:
    """Text such as "-250 ns" in picoseconds; 0 may stand alone."""
    if not isinstance(value, str):
        return int(parse(value, TIME))
    sign, text = _SIGNED.fullmatch(value).groups()  # type: ignore[union-attr]
    number = int(parse(text, TIME))
    return -number if sign == "-" else number


def _parts_per_billion(value: Any) -> int:
    """Text such as "10 ppm" or "-50 ppb" in parts per billion; 0 may stand alone."""
    if value == 0 and not isinstance(value, bool):
        return 0
    match = _DRIFT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        hint = f"for example '{value} ppm'" if isinstance(value, (int, float)) else ""
        raise Mistake(repr(value), 'a drift with its unit, such as "10 ppm" or "-50 ppb"', hint)
    number = Decimal(match[2]) * (1000 if match[3] == "ppm" else 1)
    if number != int(number):
        raise Mistake(repr(value), "a drift in whole ppb")
    return -int(number) if match[1] == "-" else int(number)


def _write_time(value: int) -> str:
    return f"-{write(-value, TIME)}" if value < 0 else write(value, TIME)


def _write_drift(value: int) -> str:
    return f"{value // 1000} ppm" if value % 1000 == 0 else f"{value} ppb"


SignedTime = Annotated[
    int,
    BeforeValidator(_signed_time),
    PlainSerializer(_write_time, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string", "examples": ["-250 ns"]}, {"const": 0}]}),
]
Drift = Annotated[
    int,
    BeforeValidator(_parts_per_billion),
    PlainSerializer(_write_drift, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string", "examples": ["10 ppm"]}, {"const": 0}]}),
]


class Clock(Part):
    """What the clock of a node shows beside true time; gates and cycles run on it."""

    offset: SignedTime = 0
    """Reading minus true time at the start of the run, such as 200 ns or -1 us."""
    drift: Drift = 0
    """How much faster than true time it runs, such as 10 ppm; negative: slower."""
    sync: PositiveTime | None = None
    """Time between corrections: it gains (or loses) `drift` for so long, then gives it back for as long, and so on.
    Default: never corrected."""

    @model_validator(mode="after")
    def _possible(self) -> Clock:
        if abs(self.drift) > DRIFT_PPB_MAX:
            raise Mistake(_write_drift(self.drift), "at most 1000 ppm", at=("drift",))
        if abs(self.offset) > OFFSET_PS_MAX:
            raise Mistake(format_time(self.offset), "at most 1 s", at=("offset",))
        return self
