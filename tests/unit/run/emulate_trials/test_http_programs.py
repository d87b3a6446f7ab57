"""The HTTP programs of request_response over the loopback: sizes and arrivals as asked, every byte there, failures counted."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from netarium.compile import cdf
from netarium.measure.requests import read, summary
from netarium.run.emulate.services import http_client, http_server

PYTHON = [sys.executable, "-I", "-S"]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    chosen = free_port()
    process = subprocess.Popen([*PYTHON, http_server.__file__, str(chosen), "reno"])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", chosen)) == 0:
                break
        time.sleep(0.05)
    yield chosen
    process.terminate()
    process.wait()


def asked(port: int, **more: Any) -> dict[str, Any]:
    plain = {
        "servers": [["127.0.0.1", port, 1]], "arrivals_per_s": 100.0, "request_bytes": 100,
        "sizes": [[20000.0, 0.0], [20000.0, 1.0]], "seconds": 1.0, "seed": 1,
    }  # fmt: skip
    return {**plain, **more}


def run(**keys: Any) -> dict[str, Any]:
    argv = [*PYTHON, http_client.__file__, json.dumps(asked(**keys))]
    return read(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_every_request_is_answered_in_full(port: int) -> None:
    report = run(port=port)
    assert report["completed"] + report["unfinished"] == report["requests"] > 50 and not report["failed"]
    assert report["bytes"] == 20000 * report["completed"]
    figures = summary([report, report])
    assert figures["completed_flows"] == 2 * report["completed"] and figures["clients"] == 2
    assert (
        0 < figures["completion_s"]["min"] <= figures["completion_s"]["p50"] <= figures["completion_s"]["max"]
    )


def test_a_server_that_is_not_there_is_counted_as_failures() -> None:
    report = run(port=free_port(), seconds=0.5)
    assert report["completed"] == 0 and report["failed"]["ConnectionRefusedError"] == report["requests"] > 0


def test_another_server_is_chosen_by_weight(port: int) -> None:
    report = run(port=port, servers=[["127.0.0.1", port, 1], ["localhost", port, 3]], arrivals_per_s=200.0)
    second = sum(row[0] == 1 for row in report["rows"]) / len(report["rows"])
    assert second == pytest.approx(0.75, abs=0.13)


def test_gaps_are_exponential_and_sizes_follow_the_distribution() -> None:
    points = cdf.built_in("websearch")
    load = http_client.Load(asked(0, sizes=points.tolist(), arrivals_per_s=50.0))
    gaps, _, sizes = zip(*(load.next() for _ in range(20_000)), strict=True)
    assert statistics.mean(gaps) == pytest.approx(1 / 50, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.05)
    assert statistics.mean(sizes) == pytest.approx(cdf.mean_bytes(points), rel=0.06)
    below = sum(size <= 80_000 for size in sizes) / len(sizes)
    assert below == pytest.approx(0.53, abs=0.015)


def test_the_same_seed_asks_the_same() -> None:
    draws = [[http_client.Load(asked(0)).next() for _ in range(5)] for _ in range(2)]
    assert draws[0] == draws[1] != [http_client.Load(asked(0, seed=2)).next() for _ in range(5)]


@pytest.mark.parametrize("size", [100, 300])
def test_a_request_has_the_length_asked_for(size: int) -> None:
    assert len(http_client.request("10.0.0.1", 20000, size)) == size


@pytest.mark.parametrize(
    ("head", "wanted"),
    [(b"GET /5 HTTP/1.1\r\n\r\n", 5), (b"GET /x HTTP/1.1\r\n\r\n", None), (b"POST /5 HTTP/1.1\r\n\r\n", None),
     (b"nonsense\r\n\r\n", None), (b"GET /99999999999999999999 HTTP/1.1\r\n\r\n", None)],
)  # fmt: skip
def test_what_a_path_asks_for(head: bytes, wanted: int | None) -> None:
    assert http_server.body_bytes(head) == wanted
