"""Numbers of a record (SI units, possibly missing) as short text for people."""

from __future__ import annotations

import math
import re
from typing import Any

from netarium.errors import Mistake
from netarium.units import SECOND_PS, TIME, format_rate, format_size, format_time, parse

MISSING = "–"
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"))


def is_number(value: object) -> bool:
    """True for a finite number; False for None, NaN, text and yes/no."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def rate(value_bps: Any) -> str:
    return (format_rate(value_bps) if value_bps else "0") if is_number(value_bps) else MISSING


def seconds(value_s: Any) -> str:
    return (format_time(value_s * SECOND_PS) if value_s else "0") if is_number(value_s) else MISSING


def size(value_bytes: Any) -> str:
    return format_size(value_bytes) if is_number(value_bytes) else MISSING


def percent(value: Any) -> str:
    """A ratio as a percentage with three significant digits; below 0.001 % as a power of ten."""
    if not is_number(value):
        return MISSING
    if value == 0:
        return "0"
    if abs(value) >= 1e-5:
        return f"{100 * value:.3g} %"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}"


def count(value: Any) -> str:
    """A number of things, short: 48211, 1.7M, 210M."""
    if not is_number(value):
        return MISSING
    for scale, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= scale:
            return f"{value / scale:.3g}{prefix}"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"


def in_unit(value: Any, unit: str) -> str:
    """`value` in SI, as text; `unit` is what it is measured in: bit/s, s, B, ratio, or another word."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not is_number(value):
        return MISSING if value is None or isinstance(value, float) else str(value)
    known = {"bit/s": rate, "bps": rate, "s": seconds, "B": size, "bytes": size, "ratio": percent}
    if unit in known:
        return known[unit](value)
    return f"{value:.4g} {unit}".strip()


UNIT_SUFFIXES = (("_bps", "bit/s"), ("_s", "s"), ("_bytes", "B"))
TIMES = ("latency", "delay_variation", "rtt", "completion")
RATIOS = ("loss", "utilisation")
RATES = ("goodput", "throughput", "bandwidth", "rate")
_STATISTIC = re.compile(r"_(min|mean|max)$")


def unit_of(metric: str) -> str:
    """The unit of a metric by its path: "a.goodput" -> bit/s, "latency_s.p50" -> s, "loss" -> ratio."""
    for part in reversed(metric.split(".")):
        word = _STATISTIC.sub("", part)
        for suffix, unit in UNIT_SUFFIXES:
            if word.endswith(suffix):
                return unit
        for words, unit in ((TIMES, "s"), (RATIOS, "ratio"), (RATES, "bit/s")):
            if word in words:
                return unit
    return ""


def scale(largest: float, unit: str) -> tuple[float, str]:
    """(divisor, "Gbit/s") so that `largest`, in SI units, is between 1 and 1000 on an axis or in a column."""
    if unit == "s" and largest >= 7200:
        return 3600.0, "h"
    if unit == "ratio":
        return 0.01, "%"
    for factor, prefix in PREFIXES:
        if largest >= factor and not (unit in ("s", "") and factor > 1) and not (unit == "" and factor < 1):
            return factor, f"{prefix}{unit}"
    return 1.0, unit


def to_seconds(text: Any) -> float | None:
    """A time as the expanded trial writes it ("4 s", 0), in seconds; None when it is not a time."""
    try:
        return parse(text, TIME) / SECOND_PS
    except Mistake:
        return None


def shorten(text: str, width: int) -> str:
    """`text` cut in the middle to `width` characters, so that both ends of a name stay readable."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"
