"""The engine between two real kernels: ping, TCP with and without offload, IPv6, drops that nobody hides."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from typing import Any

import pytest

from bench.real_hosts import address, address6, hosts, line, real_plan
from netarium.run.emulate.realtime import Engine, emulate

pytestmark = [
    pytest.mark.emulate,
    pytest.mark.skipif(
        os.geteuid() != 0 or not os.path.exists("/dev/net/tun"),
        reason="real hosts need root and /dev/net/tun",
    ),
]
needs_iperf = pytest.mark.skipif(
    shutil.which("iperf3") is None, reason="iperf3 is not installed (apt install iperf3)"
)
needs_ping = pytest.mark.skipif(
    shutil.which("ping") is None, reason="ping is not installed (apt install iputils-ping)"
)


def during(act: Any, offload: bool = True, **link: Any) -> tuple[Any, Any]:
    """What `act(namespaces)` returns while the engine runs between hosts a and b, and the samples."""
    rate, delay = link.pop("rate", "1 Gbit/s"), link.pop("delay", "5 ms")
    idle = {"kind": "stream", "from": "a", "to": "b", "rate": "8 kbit/s", "start": "59 s"}
    trial = {"duration": "60 s", "network": line(rate, delay, **link), "services": {"s": idle}}
    plan = real_plan(trial, ["a", "b"], rules=[("s", "a", "b")])
    over, outcome = threading.Event(), []
    with hosts(plan, offload) as (spaces, fds):
        engine = Engine(plan, fds)
        thread = threading.Thread(target=lambda: outcome.append(engine.run(None, None, over.is_set)))
        thread.start()
        try:
            result = act(spaces)
        finally:
            over.set()
            thread.join()
            engine.close()
    return result, outcome[0]


def iperf(spaces: Any, *more: str) -> dict[str, Any]:
    server = spaces["b"].start("iperf3", "-s", "-1")
    time.sleep(0.5)
    client = spaces["a"].run("iperf3", "-c", address(1), "-J", *more, check=False)
    server.communicate(timeout=20)
    return json.loads(client.stdout)


@needs_ping
@pytest.mark.parametrize(("family", "target"), [("-4", address(1)), ("-6", address6(1))])
def test_ping(family: str, target: str) -> None:
    shown, samples = during(
        lambda spaces: spaces["a"].run("ping", family, "-c", "5", "-i", "0.1", "-n", target).stdout
    )
    times = [float(row.split("time=")[1].split()[0]) for row in shown.splitlines() if "time=" in row]
    assert len(times) == 5
    assert 10.0 <= min(times) < 12.0
    assert "ttl=63" in shown
    assert samples.engine["real_time"]["frames"]["count"] >= 10


@needs_iperf
@pytest.mark.slow
@pytest.mark.parametrize("offload", [True, False])
def test_tcp_gets_the_rate_and_never_more(offload: bool) -> None:
    """20 Mbit/s: what arrives in a second fits into the link, and TCP fills nine tenths of it."""
    document, samples = during(
        lambda spaces: iperf(spaces, "-t", "4"),
        offload,
        rate="20 Mbit/s",
        queue={"kind": "pfifo", "limit": 100},
    )
    best = 20e6 * 1448 / 1538
    steady = [interval["sum"]["bits_per_second"] for interval in document["intervals"]][2:]
    assert 0.9 * best < document["end"]["sum_received"]["bits_per_second"] <= best * 1.01
    assert max(samples.port_series["sent_bytes"][-1]) * 8 <= 20e6 * samples.times_ps[-1] / 1e12 + 1538 * 8
    assert steady
    facts = samples.engine["real_time"]
    assert (facts["read_calls"] < facts["read_frames"]) == offload
    assert facts["refused_frames"] == 0


@needs_iperf
@pytest.mark.slow
def test_datagrams_lost_are_datagrams_dropped() -> None:
    """A host sends twice what the link carries; what its peer misses is what the engine says that it dropped."""
    document, samples = during(
        lambda spaces: iperf(spaces, "-u", "-b", "10M", "-l", "1000", "-t", "2"),
        rate="5 Mbit/s",
        queue={"kind": "pfifo", "limit": 20},
    )
    missed = document["end"]["sum"]["lost_packets"]
    assert missed > 500
    assert abs(samples.conservation["dropped"]["DROP_TAIL"] - missed) <= 25


def test_a_run_ends_by_itself_at_its_duration() -> None:
    trial = {
        "duration": "500 ms",
        "network": line("1 Gbit/s", "1 ms"),
        "services": {"s": {"kind": "stream", "from": "a", "to": "b", "rate": "1 Mbit/s"}},
        "probes": {"interval": "50 ms"},
    }
    plan = real_plan(trial, ["b"])
    with hosts(plan) as (_, fds):
        began = time.monotonic()
        samples = emulate(plan, fds)
        took_s = time.monotonic() - began
    assert took_s > 0.5
    assert samples.times_ps.tolist() == [50 * 10**9 * i for i in range(1, 11)]
    assert samples.engine["virtual_s"] == 0.5
    assert 40 <= samples.service_series["sent_packets"][-1, 0] <= 42
    assert len(samples.engine["real_time"]["over_time"]["p99"]) == 10
