"""Small trials that between them have every transport, queue, workload, impairment and event: a few thousand packets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from running import line

OWN_CONTROL = '''"""A window that grows by one segment a round and falls by a third."""


def init(conn, ack, now_ps):
    conn.i[0] = 0


def on_ack(conn, ack, now_ps):
    conn.i[0] += ack.acked_bytes
    if conn.i[0] >= conn.cwnd_bytes:
        conn.i[0] = 0
        conn.cwnd_bytes += conn.mss_bytes


def on_loss(conn, ack, now_ps):
    conn.ssthresh_bytes = max(conn.cwnd_bytes * 2 // 3, 2 * conn.mss_bytes)
'''
OWN_WORKLOAD = '''"""Transfers of growing size, ten milliseconds and a random time apart."""

from netarium.run.kernel.rng import next_exponential


def next_arrival(source, stream, now_ps):
    source.i[2] += 1
    source.i[0] = 3000 * source.i[2]
    return 10_000_000_000 + int(next_exponential(stream, 1.0e10))
'''
PACKETS = "time,size\n" + "".join(f"{0.003 * i:.4f},{200 + 97 * (i % 13)}\n" for i in range(150))
FLOWS = "time,size\n" + "".join(f"{0.05 * i:.3f},{5000 + 7919 * (i % 5)}\n" for i in range(8))
RATES = "time,rate\n0,5 Mbit/s\n0.2,1 Mbit/s\n0.4,12 Mbit/s\n"


def write_files(folder: Path) -> None:
    """The files that the trials name."""
    for name, text in (
        ("control.py", OWN_CONTROL),
        ("workload.py", OWN_WORKLOAD),
        ("packets.csv", PACKETS),
        ("flows.csv", FLOWS),
        ("rates.csv", RATES),
    ):
        (folder / name).write_text(text)


QUEUES: dict[str, Any] = {
    "pfifo": {"kind": "pfifo", "limit": 12},
    "bfifo": {"kind": "bfifo", "limit": "12 kB"},
    "prio": {"kind": "prio", "child": {"kind": "codel", "target": "1 ms", "interval": "10 ms"}},
    "drr": {
        "kind": "drr",
        "classes": {"a": {"weight": 1, "priorities": [0, 1]}, "b": {"quantum": "2 kB", "queue": "pie"}},
    },
    "htb": {
        "kind": "htb",
        "classes": {
            "a": {"rate": "1 Mbit/s", "ceil": "4 Mbit/s", "priorities": [0]},
            "b": {"rate": "3 Mbit/s", "prio": 1, "queue": {"kind": "pfifo", "limit": 9}},
        },
    },
    "tbf": {"kind": "tbf", "rate": "4 Mbit/s", "burst": "6 kB", "latency": "20 ms"},
    "red": {"kind": "red", "limit": "60 kB", "min": "5 kB", "max": "20 kB", "probability": 0.1, "ecn": True},
    "codel": {"kind": "codel", "target": "1 ms", "interval": "10 ms", "ecn": True},
    "fq_codel": {"kind": "fq_codel", "flows": 8, "target": "1 ms", "interval": "10 ms"},
    "pie": {"kind": "pie", "target": "2 ms", "tupdate": "2 ms"},
}


def mixed(congestion: Any, queue: Any, **transport: Any) -> dict[str, Any]:
    """A transfer beside a Poisson stream of another priority, over 5 Mbit/s."""
    return {
        "duration": "0.8 s",
        "network": line("5 Mbit/s", "3 ms", queue=queue),
        "services": {
            "bulk": {
                "kind": "bulk",
                "from": "s0",
                "to": "d0",
                "streams": 2,
                "transport": {"congestion": congestion, **transport},
            },
            "noise": {
                "kind": "stream",
                "from": "s0",
                "to": "d0",
                "rate": "500 kbit/s",
                "packet_size": "300 B",
                "pattern": "poisson",
                "priority": 6,
            },
        },
    }


def impaired(impairments: dict[str, Any], congestion: str = "reno") -> dict[str, Any]:
    trial = mixed(congestion, "pfifo")
    trial["network"]["links"][1]["impairments"] = impairments
    return trial


def square() -> dict[str, Any]:
    """Two hosts with two equal ways between them and a third that is longer."""
    near = {"rate": "5 Mbit/s", "delay": "2 ms"}
    ends = [("s", "a"), ("a", "b"), ("a", "c"), ("b", "z"), ("c", "z"), ("a", "z"), ("z", "d")]
    links = [{"endpoints": list(pair), **near} for pair in ends]
    links[5]["delay"] = "9 ms"
    return {
        "nodes": {"s": {"kind": "host"}, "d": {"kind": "host"}, "a": {}, "b": {}, "c": {}, "z": {}},
        "links": links,
        "routing": {"kind": "ecmp", "reconvergence": "50 ms"},
    }


def with_events() -> dict[str, Any]:
    ends = {"from": "s", "to": "d"}
    return {
        "duration": "1 s",
        "network": square(),
        "services": {
            "bulk": {"kind": "bulk", **ends, "streams": 4},
            "stream": {"kind": "stream", **ends, "rate": "400 kbit/s", "packet_size": "500 B", "count": 3},
        },
        "events": [
            {"at": "0.2 s", "kind": "link_down", "link": ["a", "b"]},
            {"at": "0.3 s", "kind": "rate_change", "link": ["z", "d"], "rate": "3 Mbit/s"},
            {"at": "0.4 s", "kind": "node_down", "node": "c"},
            {"at": "0.5 s", "kind": "impairment", "link": ["a", "z"], "impairments": {"loss": "3 %"}},
            {"at": "0.6 s", "kind": "node_up", "node": "c"},
            {"at": "0.7 s", "kind": "link_up", "link": ["a", "b"]},
            {"at": "0.8 s", "kind": "impairment", "link": ["a", "z"], "impairments": {}},
        ],
    }


def workloads() -> dict[str, Any]:
    ends = {"from": "s0", "to": "d0"}
    on_off = {"pattern": "on_off", "on": "20 ms", "off": "30 ms", "rate": "2 Mbit/s", "packet_size": "400 B"}
    return {
        "duration": "0.6 s",
        "network": line("8 Mbit/s", "2 ms", pairs=2),
        "services": {
            "constant": {
                "kind": "stream",
                **ends,
                "rate": "300 kbit/s",
                "packet_size": "333 B",
                "size": "9 kB",
            },
            "on-off": {"kind": "stream", **ends, **on_off},
            "over-tcp": {"kind": "stream", **ends, "rate": "500 kbit/s", "transport": {"kind": "tcp"}},
            "web": {"kind": "request_response", **ends, "sizes": "websearch", "arrivals": "20 /s"},
            "fixed": {"kind": "request_response", **ends, "sizes": "7 kB", "load": 0.00005},
            "packets": {"kind": "replay", **ends, "file": "packets.csv"},
            "flows": {"kind": "replay", **ends, "file": "flows.csv", "unit": "flows", "transport": "tcp"},
            "demands": {"kind": "demands", "matrix": "uniform", "total": "1 Mbit/s"},
            "own": {"kind": "user", **ends, "file": "workload.py", "name": "next_arrival"},
        },
    }


def sliced() -> dict[str, Any]:
    trial = mixed("cubic", "pfifo")
    trial["slices"] = {"good": {"from": "s0", "to": "d0", "bandwidth": "2 Mbit/s"}}
    trial["services"]["sliced"] = {"kind": "bulk", "from": "s0", "to": "d0", "slice": "good"}
    return trial


def traced() -> dict[str, Any]:
    trial = mixed("bbr", "pfifo")
    trial["network"]["links"][1]["forward"] = {"rate_trace": {"file": "rates.csv", "format": "csv"}}
    trial["probes"] = {"capture": [{"port": "a->b"}]}
    return trial


KINDS: dict[str, dict[str, Any]] = {
    **{f"cubic over {name}": mixed("cubic", queue) for name, queue in QUEUES.items()},
    **{f"{name} over pfifo": mixed(name, QUEUES["pfifo"]) for name in ("reno", "bbr")},
    "reno without sack": mixed("reno", QUEUES["pfifo"], sack=False, delayed_ack=False, timestamps=False),
    "reno with ecn": mixed("reno", QUEUES["red"], ecn=True, pacing=True),
    "cubic without hystart": mixed("cubic", QUEUES["pfifo"], hystart=False, receive_buffer="30 kB"),
    "dctcp": mixed("dctcp", {"kind": "codel", "ce_threshold": "2 ms", "target": "1 s", "interval": "2 s"}),
    "own control": mixed({"file": "control.py", "name": "on_ack"}, QUEUES["pfifo"]),
    "impairments": impaired(
        {
            "loss": {"kind": "gilbert_elliott", "p": "1 %", "r": "30 %"},
            "jitter": {"delay": "200 us", "distribution": "normal", "correlation": 0.2},
            "reorder": {"probability": "1 %"},
            "duplicate": "1 %",
            "corrupt": "1 %",
        }
    ),
    "bernoulli and pareto": impaired({"loss": "1 %", "jitter": {"delay": "1 ms", "distribution": "pareto"}}),
    "periodic": impaired({"loss": {"kind": "periodic", "every": 40}, "duplicate": "2 %"}, "bbr"),
    "uniform jitter": impaired(
        {"jitter": {"delay": "2 ms"}, "reorder": {"probability": 0.2, "gap": 5}}, "cubic"
    ),
    "events": with_events(),
    "workloads": workloads(),
    "slice": sliced(),
    "trace and capture": traced(),
}
EVERY_KIND = {
    name: {**trial, "probes": {**trial.get("probes", {}), "interval": "90 ms"}}
    for name, trial in KINDS.items()
}
"""With few samples: plain Python takes long to look at the whole memory."""
