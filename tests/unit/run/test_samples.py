"""Samples: bins and their inverse, the digest, and that broken books do not pass the check."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_samples import Made, interference_trial, make

from netarium.run import samples as layout
from netarium.run.samples import Samples, SamplesInvalid, latency_bin, log_linear_edges_ps

EDGES = log_linear_edges_ps()


@pytest.fixture()
def made() -> Samples:
    return make(
        interference_trial(), {"guaranteed": Made(48e9, lost=2), "best_effort": Made(30e9)}, instants=20
    )


@given(st.integers(min_value=0, max_value=2**62))
def test_the_bin_of_a_latency_holds_it(latency_ps: int) -> None:
    index = latency_bin(latency_ps)
    assert EDGES[index] <= latency_ps < EDGES[index + 1]


@given(st.integers(min_value=0, max_value=2**20 - 1), st.integers(min_value=6, max_value=12))
def test_bins_fit_their_edges_for_other_ranges(latency_ps: int, low_bits: int) -> None:
    edges = log_linear_edges_ps(low_bits, 20)
    index = latency_bin(latency_ps, low_bits, 20)
    assert edges[index] <= latency_ps < edges[index + 1]


def test_bins_are_at_most_a_64th_wide() -> None:
    low, high = EDGES[64:-2].astype(float), EDGES[65:-1].astype(float)
    assert ((high - low) / low <= 1 / 64 + 1e-12).all()
    assert len(EDGES) == 32 * 64 + 1


def test_records_hold_only_int64_and_say_what_they_mean() -> None:
    for name in ("SERVICE_SERIES", "FLOW_SERIES", "PORT_SERIES", "FLOWS", "WINDOW_LATENCY", "PORT_TOTALS"):
        dtype = getattr(layout, name)
        assert dtype.itemsize == 8 * len(dtype.names)
        for field in dtype.names:
            assert len(dtype.fields[field]) == 3, f"{name}.{field} has no title"


def test_balanced_books_pass(made: Samples) -> None:
    made.check()


def test_the_digest_is_of_every_array_and_not_of_the_clock(made: Samples) -> None:
    digest = made.digest()
    assert len(digest) == 64
    made.engine["wall_s"] += 1
    made.captures.append("elsewhere.pcapng")
    assert made.digest() == digest
    for name in layout._SHAPES:
        other = dataclasses.replace(made)
        array = getattr(made, name).copy()
        if array.dtype.names:
            array[array.dtype.names[-1]].flat[0] += 1
        elif array.dtype.kind == "f":
            array[0] = np.nextafter(array[0], np.inf)
        else:
            array.flat[0] += 1
        setattr(other, name, array)
        assert other.digest() != digest, name


def test_the_digest_is_of_names_and_conservation_too(made: Samples) -> None:
    digest = made.digest()
    renamed = dataclasses.replace(made, services=["a", *made.services[1:]])
    dropped = {**made.conservation, "dropped": {"DROP_AQM": made.conservation["dropped"]["DROP_TAIL"]}}
    assert len({digest, renamed.digest(), dataclasses.replace(made, conservation=dropped).digest()}) == 3


def break_conservation(made: Samples) -> None:
    made.conservation["delivered"] -= 1


def break_service(made: Samples) -> None:
    made.service_series["received_packets"][-1, 0] += 1000


def break_order(made: Samples) -> None:
    made.service_series["sent_bytes"][5, 0] = 10**12


def break_time(made: Samples) -> None:
    made.times_ps[3] = made.times_ps[2]


def break_histogram(made: Samples) -> None:
    made.latency_counts[0, 100] += 1


def break_flows(made: Samples) -> None:
    made.flows["delivered_bytes"][0] += 1


def break_shape(made: Samples) -> None:
    made.port_totals = made.port_totals[:-1]


def break_dtype(made: Samples) -> None:
    made.tracked = made.tracked.astype(np.int64)


def break_drops(made: Samples) -> None:
    made.drops[1, 1] = 5


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (break_conservation, "conservation:"),
        (break_service, "guaranteed: more packets received and in flight than were sent"),
        (break_order, "service_series.sent_bytes is cumulative but decreases"),
        (break_time, "times_ps is not strictly increasing"),
        (break_histogram, "guaranteed: latency bins hold"),
        (break_flows, "guaranteed: .* bytes delivered, its flows sum to"),
        (break_shape, r"port_totals has shape \(3,\), expected \(4,\)"),
        (break_dtype, "tracked has dtype int64, expected int32"),
        (break_drops, "5 DROP_AQM at ports, 0 in total"),
    ],
)
def test_broken_books_do_not_pass(made: Samples, damage, said: str) -> None:
    damage(made)
    with pytest.raises(SamplesInvalid, match=said):
        made.check()


def test_every_fault_is_named_at_once(made: Samples) -> None:
    break_conservation(made)
    break_histogram(made)
    with pytest.raises(SamplesInvalid) as raised:
        made.check()
    assert "conservation" in str(raised.value)
    assert "latency bins" in str(raised.value)
