"""Quantities: what is accepted, what is refused and how it is said, and that writing loses nothing."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from netarium import units
from netarium.errors import Mistake
from netarium.units import FREQUENCY, LENGTH, RATE, RATIO, SIZE, TIME, Value, parse, write


@pytest.mark.parametrize(
    ("text", "dimension", "canonical"),
    [
        ("50 Gbit/s", RATE, 50 * 10**9),
        ("400 MB/s", RATE, 3_200_000_000),
        ("1 KiB/s", RATE, 8192),
        ("10kbit/s", RATE, 10_000),
        ("72 TB", SIZE, 72 * 10**12),
        ("64 KiB", SIZE, 65_536),
        ("1500 B", SIZE, 1500),
        ("1.5 ms", TIME, 1_500_000_000),
        ("1 ps", TIME, 1),
        ("2 µs", TIME, 2_000_000),
        ("1.64 h", TIME, 5904 * 10**12),
        ("100 d", TIME, 100 * units.DAY_PS),
        ("0.4 ns", TIME, 400),
        ("1.0004 ns", TIME, 1000),
        ("1150 km", LENGTH, 1_150_000.0),
        ("1 %", RATIO, 0.01),
        ("0.25", RATIO, 0.25),
        (0.25, RATIO, 0.25),
        ("1e-6", RATIO, 1e-6),
        ("1000 /s", FREQUENCY, 1000.0),
        (0, TIME, 0),
        (0, RATE, 0),
        ("0", SIZE, 0),
    ],
)
def test_parses_exactly(text: object, dimension: units.Dimension, canonical: float) -> None:
    parsed = parse(text, dimension)
    assert parsed == canonical
    assert type(parsed) is (int if dimension.integer else float)


@pytest.mark.parametrize(
    ("value", "dimension", "sentence"),
    [
        (50, RATE, "found 50, expected a rate with its unit, such as \"10 Gbit/s\"; a number needs its unit, "
                   "for example '50 Gbit/s'"),
        ("10 Gbps", RATE, "did you mean '10 Gbit/s'?"),
        ("10 mbit", RATE, "did you mean '10 Mbit/s'?"),
        ("10 Mb", SIZE, "did you mean '10 MB'?"),
        ("64 KB", SIZE, "did you mean '64 kB'?"),
        ("5 sec", TIME, "did you mean '5 s'?"),
        ("5 ms", RATE, "found '5 ms', which is a time, expected a rate in"),
        ("-5 ms", TIME, "quantities are not negative"),
        ("1,000 B", SIZE, "write '1000 B'"),
        (5, RATIO, "did you mean '5 %'?"),
        ("101 %", RATIO, "expected a ratio from 0 to 1"),
        ("0.1 ps", TIME, "expected a time of at least 1 ps"),
        ("200 d", TIME, "expected a time of at most 106 d"),
        ("1e400 s", TIME, "expected a time of at most"),
        ("", TIME, "expected a time with its unit"),
        (None, TIME, "found nothing"),
        (True, TIME, "found a yes/no value"),
        ([1], TIME, "found a list"),
        (float("nan"), RATIO, "found nan"),
    ],
)  # fmt: skip
def test_refuses_with_a_hint(value: object, dimension: units.Dimension, sentence: str) -> None:
    with pytest.raises(Mistake) as caught:
        parse(value, dimension)
    assert sentence in str(caught.value)


@given(st.integers(0, units.INT64_MAX), st.sampled_from([RATE, TIME, SIZE]))
def test_writing_an_integer_quantity_loses_nothing(value: int, dimension: units.Dimension) -> None:
    assert parse(write(value, dimension), dimension) == value


@given(st.floats(0, 1e15), st.sampled_from([LENGTH, FREQUENCY]))
def test_writing_a_real_quantity_loses_nothing(value: float, dimension: units.Dimension) -> None:
    assert parse(write(value, dimension), dimension) == value


@given(st.integers(1, 10**6), st.sampled_from(TIME.written))
def test_a_written_time_is_as_short_as_what_was_typed(number: int, unit: str) -> None:
    typed = parse(f"{number} {unit}", TIME)
    assert parse(write(typed, TIME), TIME) == typed
    if number < 1000:
        assert write(typed, TIME) == f"{number} {unit}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (units.format_rate(48_213_400_000), "48.21 Gbit/s"),
        (units.format_rate(0), "0 bit/s"),
        (units.format_rate(999.96), "1000 bit/s"),
        (units.format_time(1_500_000_000), "1.5 ms"),
        (units.format_time(20 * units.SECOND_PS), "20 s"),
        (units.format_time(5904 * units.SECOND_PS), "1.64 h"),
        (units.format_time(699 * units.DAY_PS), "699 d"),
        (units.format_size(72 * 10**12), "72 TB"),
        (units.format_size(1538), "1.538 kB"),
        (units.format_length(1_150_000), "1150 km"),
    ],
)
def test_text_for_people(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("typed", "number", "dimension"),
    [
        ("48 Gbit/s", 48e9, "rate"),
        ("10 ms", 0.010, "time"),
        ("150 %", 1.5, "ratio"),
        ("5", 5.0, None),
        (3, 3.0, None),
        ("1 kB", 1000.0, "size"),
    ],
)
def test_a_value_is_in_si_and_knows_its_dimension(
    typed: object, number: float, dimension: str | None
) -> None:
    value = Value(typed)
    assert value == number
    assert value.dimension == dimension
    again = pickle.loads(pickle.dumps(value))
    assert (again, again.dimension, again.text) == (value, value.dimension, value.text)
    adapter = TypeAdapter(Value)
    assert adapter.validate_python(adapter.dump_python(value)) == value


@pytest.mark.parametrize("typed", ["fast", "5 Gbps", None, True, float("inf"), [1]])
def test_a_value_that_is_none_is_refused(typed: object) -> None:
    with pytest.raises(Mistake):
        Value(typed)


def test_positive_types_refuse_zero() -> None:
    with pytest.raises(ValueError, match="a rate above 0"):
        TypeAdapter(units.PositiveRate).validate_python("0 bit/s")
    assert TypeAdapter(units.Rate).validate_python("0 bit/s") == 0


def test_every_unit_is_listed_once_for_one_meaning() -> None:
    seen: dict[str, str] = {}
    for dimension in units.DIMENSIONS.values():
        for unit in dimension.units:
            assert unit not in seen, f"{unit} is a {dimension.name} and a {seen[unit]}"
            seen[unit] = dimension.name
