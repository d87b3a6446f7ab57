"""The same trial gives the same samples, bit for bit: twice, compiled or as plain Python, whatever else runs or looks on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from every_kind import EVERY_KIND, write_files
from running import digests, line, simulate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that some of the trials name."""
    path = tmp_path_factory.mktemp("files")
    write_files(path)
    return path


def test_twice(folder: Path) -> None:
    trial = EVERY_KIND["cubic over pfifo"]
    assert simulate(trial, folder).digest() == simulate(trial, folder).digest()
    assert simulate(trial, folder, seed=2).digest() != simulate(trial, folder).digest()


@pytest.mark.slow
def test_compiled_and_interpreted_agree(folder: Path) -> None:
    """Every transport, control, queue, workload, impairment and event."""
    compiled, interpreted = (digests(EVERY_KIND.values(), folder, jit=jit) for jit in (True, False))
    assert len(set(compiled)) == len(EVERY_KIND), "the trials differ from one another"
    differing = [n for n, a, b in zip(EVERY_KIND, compiled, interpreted, strict=True) if a != b]
    assert not differing


def test_a_few_compiled_and_interpreted_agree(folder: Path) -> None:
    few = [EVERY_KIND[name] for name in ("events", "impairments")]
    assert digests(few, folder, jit=False) == [simulate(trial, folder).digest() for trial in few]


def one_and_another(**more: Any) -> dict[str, Any]:
    """Two separate networks in one trial; services of the first, and what is given."""
    network = line(
        "10 Mbit/s", "5 ms", pairs=2, queue={"kind": "red", "limit": "60 kB", "min": "5 kB", "max": "20 kB"}
    )
    network["links"][2]["impairments"] = {"loss": "1 %", "jitter": {"delay": "100 us"}}
    other = line("10 Mbit/s", "7 ms", queue="pie")
    renamed = {name: f"other-{name}" for name in other["nodes"]}
    network["nodes"] |= {renamed[name]: node for name, node in other["nodes"].items()}
    for link in other["links"]:
        link["endpoints"] = [renamed[name] for name in link["endpoints"]]
        link["impairments"] = {"loss": "1 %"}
    network["links"] += other["links"]
    services: dict[str, Any] = {
        "bulk": {"kind": "bulk", "from": "s0", "to": "d0"},
        "bbr": {"kind": "bulk", "from": "s1", "to": "d1", "transport": {"congestion": "bbr"}},
        "poisson": {"kind": "stream", "from": "s0", "to": "d0", "rate": "1 Mbit/s", "pattern": "poisson"},
        "web": {"kind": "request_response", "from": "s1", "to": "d1", "sizes": "20 kB", "arrivals": "20 /s"},
    }
    return {
        "duration": "3 s",
        "network": network,
        "services": {**more, **services},
        "probes": {"flows": "none"},
    }


def of(samples: Any, name: str) -> list[Any]:
    """All that is known of a service, without its number."""
    index = samples.services.index(name)
    flows = samples.flows[samples.flows["service"] == index]
    return [
        samples.service_series[:, index].tolist(),
        samples.window_latency[:, index].tolist(),
        samples.latency_counts[index].tolist(),
        samples.rtt_counts[index].tolist(),
        [flows[field].tolist() for field in flows.dtype.names if field != "service"],
    ]


def test_a_service_on_other_links_changes_nothing() -> None:
    """It stands first in the file, draws random numbers and loses packets, all on links of its own."""
    ends = {"from": "other-s0", "to": "other-d0"}
    alone = simulate(one_and_another())
    beside = simulate(
        one_and_another(
            intruder={"kind": "stream", **ends, "rate": "9 Mbit/s", "pattern": "poisson"},
            more={"kind": "request_response", **ends, "sizes": "websearch", "arrivals": "5 /s"},
        )
    )
    assert beside.services[:2] == ["intruder", "more"]
    for name in alone.services:
        assert of(alone, name) == of(beside, name), name
    assert (beside.service_series["delivered_bytes"][-1] > 0).all()


def test_looking_more_often_changes_nothing() -> None:
    """Sample instants, tracked flows and port series only look: flows, latencies and ports end the same."""
    seldom, often = (
        simulate(one_and_another(), probes__interval=interval, probes__flows=flows)
        for interval, flows in (("3 s", "none"), ("1234567 ns", "all"))
    )
    assert (seldom.flows == often.flows).all()
    assert (seldom.latency_counts == often.latency_counts).all()
    assert (seldom.rtt_counts == often.rtt_counts).all()
    assert (seldom.port_totals == often.port_totals).all()
    assert (seldom.drops == often.drops).all()
    assert seldom.conservation == often.conservation
    final = often.service_series[-1]
    assert (seldom.service_series[-1] == final).all()
    assert np.diff(often.times_ps).min() > 0
