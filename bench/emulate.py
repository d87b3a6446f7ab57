"""Measure the engine in real time with real kernels at its edges: `python -m bench.emulate [ROW ...]`, as root.

    ping-idle         round trips over 10 ms each way, nothing else
    ping-beside       the same beside 100 Mbit/s of datagrams
    gigabit-1         kernel TCP, one connection, 1 Gbit/s and 10 ms each way, packets of 1,500 bytes
    gigabit-10        ten connections
    unlimited         kernel TCP, no limit, every packet crosses the kernel's border by itself
    unlimited-offload trains cross it whole
    background        ping-idle beside 1,000 modelled connections in the same network
    many              500 trials of two hosts each at once, 1 Mbit/s of kernel TCP in each (--trials N)

Each row prints one line of JSON; `stolen_s` is CPU time that the hypervisor gave to others meanwhile, `running` how many
threads wanted to run at its end: a row measured on a machine that is not quiet says so. Every row is also checked for
conservation.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.real_hosts import Namespace, address, hosts, line, real_plan
from netarium.operate.campaign import campaignfile
from netarium.operate.campaign.runner import Options, run_campaign
from netarium.run.emulate.realtime import Engine

SECONDS = 15
TRICKLE = {"kind": "stream", "from": "a", "to": "b", "rate": "10 kbit/s"}
QUEUE = {"kind": "pfifo", "limit": 2000}
PATH_US = 20_000.0
"""Round trip of the path of 10 ms each way, without transmission."""


@contextlib.contextmanager
def running(plan: Any, offload: bool) -> Iterator[tuple[dict[str, Namespace], dict[str, Any]]]:
    """Hosts and engine, up; afterwards the second dictionary holds the engine's figures."""
    figures: dict[str, Any] = {}
    over = threading.Event()
    with hosts(plan, offload) as (spaces, fds):
        engine = Engine(plan, fds)

        def work() -> None:
            samples = engine.run(None, None, over.is_set)
            figures.update(samples.engine["real_time"], conservation=samples.conservation)

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.3)
        try:
            yield spaces, figures
        finally:
            over.set()
            thread.join()
            engine.close()


def network(rate: str, delay: str, **more: Any) -> Any:
    """Plan of a - r - b."""
    trial = {"duration": "600 s", "network": line(rate, delay, **more), "services": {"s": TRICKLE}}
    return real_plan(trial, ["a", "b"], rules=[("s", "a", "b")])


def echo(space: Namespace, count: int = 500) -> dict[str, float]:
    """Figures of round trips from a host to the second one, µs."""
    ran = space.run(sys.executable, "-m", "bench.echo", address(1), str(count), "0.01")
    times = sorted(json.loads(ran.stdout))
    return {
        "probes": len(times), "lost": count - len(times), "rtt_us_min": times[0],
        "rtt_us_p50": statistics.median(times), "rtt_us_p99": times[int(0.99 * len(times)) - 1], "rtt_us_max": times[-1],
    }  # fmt: skip


def iperf(spaces: dict[str, Namespace], *more: str, seconds: int = SECONDS) -> dict[str, float]:
    """One iperf3 from a to b."""
    server = spaces["b"].start("iperf3", "-s", "-1")
    time.sleep(0.5)
    client = spaces["a"].run("iperf3", "-c", address(1), "-t", str(seconds), "-J", *more, check=False)
    server.communicate(timeout=30)
    document = json.loads(client.stdout)
    if "error" in document:
        raise RuntimeError(document["error"])
    rates = [interval["sum"]["bits_per_second"] / 1e6 for interval in document["intervals"]]
    end = document["end"]
    return {
        "goodput_mbps": end["sum_received"]["bits_per_second"] / 1e6,
        "goodput_mbps_steady": statistics.median(rates[len(rates) // 2 :]),
        "goodput_mbps_most": max(rates[2:]),
        "retransmits": end["sum_sent"].get("retransmits", 0),
    }


def ping(load: str | None = None, plan: Any = None, count: int = 500) -> dict[str, Any]:
    """Round trips, beside nothing or beside datagrams at a rate."""
    with running(plan or network("1 Gbit/s", "10 ms", queue=QUEUE), offload=True) as (spaces, figures):
        others = []
        if load:
            others = [spaces["b"].start("iperf3", "-s", "-1")]
            time.sleep(0.5)
            words = ("-u", "-b", load, "-l", "1400", "-t", str(count // 100 + 3))
            others.append(spaces["a"].start("iperf3", "-c", address(1), *words))
            time.sleep(1.0)
        measured = echo(spaces["a"], count)
        for other in reversed(others):
            other.communicate(timeout=60)
    figured = {
        "error_us_p50": measured["rtt_us_p50"] - PATH_US,
        "error_us_p99": measured["rtt_us_p99"] - PATH_US,
    }
    return measured | figured | figures


def transfer(rate: str, delay: str, offload: bool, *more: str) -> dict[str, Any]:
    """Kernel TCP."""
    with running(network(rate, delay, queue=QUEUE), offload) as (spaces, figures):
        measured = iperf(spaces, *more)
    return measured | figures


def background() -> dict[str, Any]:
    """1,000 modelled connections share the link with the two real hosts."""
    shape = line("1 Gbit/s", "10 ms", queue=QUEUE)
    shape["nodes"] |= {"m": {"kind": "host"}, "n": {"kind": "host"}, "t": {"kind": "router"}}
    shape["links"][1]["endpoints"] = ["r", "t"]
    shape["links"] += [
        {"endpoints": [one, two], "rate": "100 Gbit/s", "delay": "1 us"}
        for one, two in (("t", "b"), ("m", "r"), ("t", "n"))
    ]
    flows = {
        "kind": "stream", "from": "m", "to": "n", "rate": "500 kbit/s", "count": 1000, "transport": {"kind": "tcp"},
    }  # fmt: skip
    trial = {
        "duration": "600 s",
        "network": shape,
        "services": {"s": TRICKLE, "flows": flows},
        "probes": {"flows": "none"},
    }
    return ping(plan=real_plan(trial, ["a", "b"], rules=[("s", "a", "b")]))


def many(trials: int) -> dict[str, Any]:
    """The campaign real-500 with so many trials, all at once."""
    with tempfile.TemporaryDirectory() as place:
        text = campaignfile.find("real-500").text.replace("seeds: 500", f"seeds: {trials}")
        path = Path(place) / "real-500.campaign.yml"
        path.write_text(text)
        options = Options(Path(place), emulated=trials, keep="all")
        outcome = run_campaign(campaignfile.load(str(path)), options)
        certified = [row["verdict.certified"] is True for row in outcome.record.table.to_pylist()]
        figures = [json.loads(each.read_text()) for each in Path(place).glob("*/runs/*/metrics.json")]
    late = sorted(document["emulation"]["lateness_s"]["p999"] for document in figures)
    real = [document["engine"]["real_time"] for document in figures]
    return {
        "trials": trials, "certified": sum(certified), "statuses": outcome.statuses, "wall_s": outcome.wall_s,
        "late_p999_s_median": statistics.median(late), "late_p999_s_max": late[-1],
        "unread_p999_s_max": max(one["unread"]["p999"] for one in real),
        "goodput_bps_median": statistics.median(one["services"]["transfer"]["goodput_bps"] for one in figures),
        "idle_share": statistics.median(one["time_s"]["idle"] / sum(one["time_s"].values()) for one in real),
    }  # fmt: skip


ROWS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "ping-idle": lambda given: ping(),
    "ping-beside": lambda given: ping("100M"),
    "gigabit-1": lambda given: transfer("1 Gbit/s", "10 ms", given.offload),
    "gigabit-10": lambda given: transfer("1 Gbit/s", "10 ms", given.offload, "-P", "10"),
    "unlimited": lambda given: transfer("100 Gbit/s", "1 us", False),
    "unlimited-offload": lambda given: transfer("100 Gbit/s", "1 us", True),
    "background": lambda given: background(),
    "many": lambda given: many(given.trials),
}


def stolen_s() -> float:
    """CPU seconds that the hypervisor has taken so far."""
    with open("/proc/stat", encoding="ascii") as stat:
        return int(stat.readline().split()[8]) / 100


def main() -> None:
    """Run the rows that are asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.emulate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(ROWS)}; default: all")
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--no-offload", dest="offload", action="store_false")
    given = parser.parse_args()
    for name in given.rows or ROWS:
        before = stolen_s()
        result = ROWS[name](given)
        result.pop("over_time", None)
        with open("/proc/loadavg", encoding="ascii") as load:
            result |= {"stolen_s": round(stolen_s() - before, 2), "running": load.read().split()[3]}
        sys.stdout.write(json.dumps({"row": name, **result}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
