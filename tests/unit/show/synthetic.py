"""Writes realistic run folders without an engine: what the tests of the show stage read.

Each function writes one folder as docs/run-folder.md describes it (JSON and Parquet) and returns its path.
Numbers are drawn from a seeded generator, so the same call always writes the same folder.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FLAGSHIP_TEXT = """\
trial: interference-ab
title: A guaranteed slice and best effort, before and after interference
duration: 20 s
network:
  nodes:
    telescope: {kind: host,   location: [25.65, 106.86]}
    guiyang:   {kind: router, location: [26.65, 106.63]}
    wuhan:     {kind: router, location: [30.59, 114.30]}
    campus:    {kind: host,   location: [30.51, 114.41]}
  links:
    - {endpoints: [telescope, guiyang], rate: 100 Gbit/s, length: 160 km}
    - {endpoints: [guiyang, wuhan],     rate: 100 Gbit/s, length: 1150 km}
    - {endpoints: [wuhan, campus],      rate: 100 Gbit/s, delay: 50 us}
slices:
  express: {from: telescope, to: campus, bandwidth: 50 Gbit/s, latency: 10 ms, loss: 0}
services:
  guaranteed:  {kind: bulk, from: telescope, to: campus, size: 72 TB, slice: express}
  best_effort: {kind: bulk, from: telescope, to: campus, size: 72 TB}
  interferer:  {kind: stream, from: telescope, to: campus, rate: 50 Gbit/s, start: 10 s}
"""

LATENCY_FIELDS = ("min", "p50", "p90", "p95", "p99", "p999", "max", "mean")


def flagship(folder: Path, *, seed: int = 1, shortfall: float = 1.0, congestion: str = "cubic") -> Path:
    """Three services on a three-hop path for 20 s. `shortfall` < 1 starves the guaranteed service."""
    random = np.random.default_rng(seed)
    times = np.arange(1, 201) * 0.1
    names, kinds = ["guaranteed", "best_effort", "interferer"], ["bulk", "bulk", "stream"]
    ramp = np.minimum(1.0, times / 0.6)
    late = times > 10
    goodput = np.stack(
        [
            48.9e9 * ramp * shortfall * (1 + 0.002 * random.standard_normal(200)),
            np.where(late, 0.42e9 * np.exp(-(times - 10) * 0.05), 41.5e9 * ramp)
            * (1 + 0.03 * random.standard_normal(200)),
            np.where(late, 48.6e9, 0.0),
        ],
        axis=1,
    )
    base = np.full((200, 3), 6.61e-3)
    spread = np.stack(
        [np.full(200, 12e-6), np.where(late, 4.1e-3, 0.9e-3), np.where(late, 300e-6, np.nan)], axis=1
    )
    base[~late, 2] = np.nan
    metrics = _metrics("interference-ab", "quick-otter", seed, virtual_s=20.0)
    latency_rows = []
    for column, name in enumerate(names):
        draws = 6.61e-3 + random.gamma(1.3, [3e-6, 0.6e-3, 60e-6][column], 200_000)
        metrics["services"][name] = _service(
            kinds[column],
            goodput[:, column].mean(),
            draws,
            tcp=column < 2,
            retransmissions=[0, 48_211, 0][column],
            loss=[0, 1.9e-3, 4e-6][column],
        )
        latency_rows += _histogram(name, "one_way", draws)
        if column < 2:
            latency_rows += _histogram(name, "rtt", draws * 2)
    ports = [
        "telescope->guiyang",
        "guiyang->telescope",
        "guiyang->wuhan",
        "wuhan->guiyang",
        "wuhan->campus",
        "campus->wuhan",
    ]
    utilisation = np.array([0.97, 0.006, 0.952, 0.006, 0.95, 0.006])
    busy = np.clip(goodput.sum(axis=1, keepdims=True) / 95e9, 0, 1) * utilisation / utilisation.max()
    queue = np.abs(random.normal(1, 0.3, (200, 6))) * np.array([1.4e6, 0, 9e4, 0, 2e4, 0]) * busy
    for index, port in enumerate(ports):
        drops = (
            {"DROP_TAIL": 48_102, "DROP_AQM": 1_210}
            if index == 0
            else {"DROP_TAIL": 311}
            if index == 2
            else {}
        )
        metrics["links"][port] = _link(utilisation[index], 100e9, queue[:, index], drops)
    observed_gbps = 50.0 * shortfall
    held = shortfall >= 0.98
    metrics["slices"]["express"] = {
        "admitted": True,
        "services": ["guaranteed"],
        "path": ["telescope", "guiyang", "wuhan", "campus"],
        "bound": {"latency_s": 6.68e-3},
        "observed": {
            "latency_s_max": 6.64e-3,
            "delay_variation_s": 14e-6,
            "loss": 0.0,
            "bandwidth_bps": observed_gbps * 1e9,
        },
        "certified": held,
        "terms": {"bandwidth_tolerance": 0.04, "confidence": 0.95},
        "reasons": [] if held else ["bandwidth: promised 50 Gbit/s, observed 30 Gbit/s"],
        "objectives": [
            {
                "objective": "bandwidth",
                "promised": 50e9,
                "observed": observed_gbps * 1e9,
                "unit": "bit/s",
                "verdict": "delivered" if held else "not delivered",
            },
            {
                "objective": "latency",
                "promised": 10e-3,
                "observed": 6.64e-3,
                "unit": "s",
                "verdict": "delivered",
            },
            {
                "objective": "delay_variation",
                "promised": 20e-6,
                "observed": 14e-6,
                "unit": "s",
                "verdict": "delivered",
            },
            {"objective": "loss", "promised": 0.0, "observed": 0.0, "unit": "ratio", "verdict": "delivered"},
        ],
    }
    value = metrics["services"]["guaranteed"]["goodput_bps"]
    metrics["expect"] = [
        {
            "text": "guaranteed.goodput from 12 s at least 48 Gbit/s",
            "met": held,
            "value": value,
            "unit": "bit/s",
        },
        {
            "text": "best_effort.goodput from 12 s at most 1 Gbit/s",
            "met": True,
            "value": 0.33e9,
            "unit": "bit/s",
        },
        {"text": "slice express certified", "met": held, "value": held},
    ]
    metrics["assumptions"] = [
        "queue of 'telescope->guiyang': pfifo limit 1000 packets (the default)",
        "overhead: 38 B per frame on every link (preamble, header, FCS, gap)",
    ]
    topology = {
        "nodes": [
            _node("telescope", "host", 106.86, 25.65),
            _node("guiyang", "router", 106.63, 26.65),
            _node("wuhan", "router", 114.30, 30.59),
            _node("campus", "host", 114.41, 30.51),
        ],
        "links": [
            _wire("telescope", "guiyang", 100e9, 0.8e-3),
            _wire("guiyang", "wuhan", 100e9, 5.75e-3),
            _wire("wuhan", "campus", 100e9, 50e-6),
        ],
        "slices": [{"name": "express", "path": ["telescope", "guiyang", "wuhan", "campus"]}],
    }
    expanded = {
        "trial": "interference-ab",
        "title": "A guaranteed slice and best effort, before and after interference",
        "duration": "20 s",
        "mode": "simulate",
        "seed": seed,
        "slices": {"express": {"from": "telescope", "to": "campus", "bandwidth": "50 Gbit/s"}},
        "services": {
            "guaranteed": {"kind": "bulk", "transport": {"kind": "tcp", "congestion": congestion}},
            "best_effort": {"kind": "bulk", "transport": {"kind": "tcp", "congestion": congestion}},
            "interferer": {"kind": "stream", "rate": "50 Gbit/s", "start": "10 s"},
        },
        "events": [],
    }
    folder = _begin(folder, FLAGSHIP_TEXT, expanded, metrics, ["run", "interference-ab", "--seed", str(seed)])
    _series_services(folder, times, names, goodput, base, spread)
    _series_flows(folder, times, names[:2], goodput[:, :2], random)
    _series_ports(folder, times, ports, busy, queue, random)
    _flows(
        folder,
        [
            (
                i,
                n,
                "telescope",
                "campus",
                [0, 0, 10][i],
                np.nan,
                72e12,
                goodput[:, i].sum() / 80,
                np.nan,
                np.nan,
                [0, 48_211, 0][i],
                0,
            )
            for i, n in enumerate(names)
        ],
    )
    _latency(folder, latency_rows)
    return _end(folder, metrics, topology, status="succeeded" if held else "failed")


def without_tcp(folder: Path) -> Path:
    """One UDP stream over one link with an outage: no RTT, no windows, no slices, no expectations."""
    random = np.random.default_rng(7)
    times = np.arange(1, 101) * 0.05
    down = (times > 2) & (times <= 3)
    goodput = np.where(down, 0.0, 9.6e6)[:, None]
    metrics = _metrics("one-stream", "calm-heron", 1, virtual_s=5.0)
    draws = 10e-3 + random.exponential(0.3e-3, 20_000)
    metrics["services"]["camera"] = _service(
        "stream", goodput.mean(), draws, tcp=False, retransmissions=0, loss=0.2
    )
    metrics["links"] = {
        "a->b": _link(0.79, 10e6, np.full(100, 1500.0), {"DROP_LINK_DOWN": 800}),
        "b->a": _link(0.0, 10e6, np.zeros(100), {}),
    }
    expanded = {
        "trial": "one-stream",
        "duration": "5 s",
        "services": {"camera": {"kind": "stream"}},
        "events": [
            {"at": "2 s", "kind": "link_down", "link": "a-b"},
            {"at": "3 s", "kind": "link_up", "link": "a-b"},
        ],
    }
    topology = {
        "nodes": [_node("a", "host", 0, 0), _node("b", "host", 1, 0)],
        "links": [_wire("a", "b", 10e6, 0.01)],
        "slices": [],
    }
    folder = _begin(folder, "trial: one-stream\nduration: 5 s\n", expanded, metrics, ["run", "one.trial.yml"])
    _series_services(folder, times, ["camera"], goodput, np.full((100, 1), 10e-3), np.full((100, 1), 0.3e-3))
    _series_ports(
        folder,
        times,
        ["a->b", "b->a"],
        np.stack([goodput[:, 0] / 1e7, goodput[:, 0] * 0], axis=1),
        np.stack([np.full(100, 1500.0), np.zeros(100)], axis=1),
        random,
    )
    _flows(folder, [(0, "camera", "a", "b", 0.0, np.nan, -1, 4.8e6, np.nan, np.nan, 0, 0)])
    _latency(folder, _histogram("camera", "one_way", draws))
    return _end(folder, metrics, topology, status="succeeded")


def crowd(folder: Path, *, services: int = 300, nodes: int = 40, flows_each: int = 40) -> Path:
    """Many services on a ring with chords: a large trial, with flow completions and slices."""
    random = np.random.default_rng(3)
    times = np.arange(1, 101) * 0.1
    names = [f"svc{index:03d}" for index in range(services)]
    level = random.lognormal(17, 0.8, services)
    goodput = level * (1 + 0.1 * random.standard_normal((100, services)))
    metrics = _metrics("crowd", "busy-marmot", 11, virtual_s=10.0)
    latency_rows, flow_rows, expanded_services = [], [], {}
    for index, name in enumerate(names):
        draws = random.uniform(2e-3, 20e-3) + random.exponential(0.4e-3, 4_000)
        kind = "request_response" if index % 2 else "stream"
        expanded_services[name] = {"kind": kind}
        metrics["services"][name] = _service(
            kind,
            level[index],
            draws,
            tcp=index % 2 == 1,
            retransmissions=int(random.integers(0, 500)),
            loss=random.uniform(0, 1e-3),
        )
        latency_rows += _histogram(name, "one_way", draws)
        for _ in range(flows_each if index % 2 else 1):
            size = float(np.exp(random.uniform(5, 17)))
            slowdown = 1 + random.exponential(2)
            flow_rows.append((len(flow_rows), name, "n0", "n1", 0.0, 1.0, size, size, 0.1, slowdown, 0, 0))
    angle = np.linspace(0, 2 * np.pi, nodes, endpoint=False)
    cities = [f"city-{index:02d}" for index in range(nodes)]
    pairs = [(i, (i + 1) % nodes) for i in range(nodes)] + [
        (i, (i + nodes // 3) % nodes) for i in range(0, nodes, 3)
    ]
    topology = {
        "nodes": [
            _node(
                c,
                "router",
                100 + 15 * np.cos(a) + random.normal(0, 1.5),
                32 + 9 * np.sin(a) + random.normal(0, 1),
            )
            for c, a in zip(cities, angle, strict=True)
        ],
        "links": [_wire(cities[i], cities[j], 100e9 if i % 2 else 10e9, 3e-3) for i, j in pairs],
        "slices": [
            {"name": f"vpn-{k:02d}", "path": [cities[(k + s) % nodes] for s in range(5)]} for k in range(30)
        ],
    }
    ports = [port for link in topology["links"] for port in link["ports"]]
    utilisation = random.beta(2, 3, len(ports))
    queue = random.exponential(1, (100, len(ports))) * utilisation**4 * 4e5
    for index, port in enumerate(ports):
        drops = {"DROP_TAIL": int(utilisation[index] * 900)} if utilisation[index] > 0.6 else {}
        metrics["links"][port] = _link(utilisation[index], 10e9, queue[:, index], drops)
    for k in range(30):
        verdict = "not delivered" if k == 7 else "not certifiable" if k == 9 else "delivered"
        metrics["slices"][f"vpn-{k:02d}"] = {
            "admitted": True,
            "bound": {"latency_s": 0.02},
            "observed": {"latency_s_max": 0.015 + k / 4000},
            "certified": {"delivered": True, "not delivered": False}.get(verdict),
            "reasons": ["latency: above the promise"] if k == 7 else ["no packet was sent"] if k == 9 else [],
            "objectives": [
                {
                    "objective": "latency",
                    "promised": 0.0225,
                    "observed": 0.015 + k / 4000 + (k == 7) * 0.01,
                    "unit": "s",
                    "verdict": verdict,
                },
                {
                    "objective": "bandwidth",
                    "promised": 10e6,
                    "observed": 10.1e6,
                    "unit": "bit/s",
                    "verdict": "delivered",
                },
            ],
        }
    expanded = {
        "trial": "crowd",
        "duration": "10 s",
        "services": expanded_services,
        "events": [{"at": "4 s", "kind": "rate_change", "link": "city-00-city-01", "rate": "5 Gbit/s"}],
    }
    folder = _begin(folder, "trial: crowd\n", expanded, metrics, ["run", "crowd.trial.yml"])
    base = np.tile(random.uniform(2e-3, 20e-3, services), (100, 1))
    _series_services(folder, times, names, goodput, base, np.full((100, services), 1e-3))
    _series_flows(folder, times, names[1:60:2], goodput[:, 1:60:2], random)
    _series_ports(folder, times, ports, np.tile(utilisation, (100, 1)), queue, random)
    _flows(folder, flow_rows)
    _latency(folder, latency_rows)
    return _end(folder, metrics, topology, status="failed")


def unfinished(folder: Path) -> Path:
    """A run that was killed early: only start.json and trial.yml are there."""
    folder = flagship(folder)
    for path in folder.iterdir():
        if path.name not in {"start.json", "trial.yml"}:
            path.unlink()
    return folder


def rewrite(folder: Path, name: str, **changes: object) -> None:
    """Replaces top-level keys of one of the folder's JSON files."""
    document = json.loads((folder / name).read_text())
    document.update(changes)
    (folder / name).write_text(json.dumps(document))


def _metrics(trial: str, run: str, seed: int, virtual_s: float) -> dict:
    return {
        "format": 1,
        "trial": trial,
        "run": run,
        "mode": "simulate",
        "status": "succeeded",
        "seed": seed,
        "digests": {"plan": "9f2c" * 16, "kernel": "41aa" * 16, "samples": f"{seed:02x}77" * 16},
        "engine": {
            "virtual_s": virtual_s,
            "wall_s": 9.1,
            "packet_hops": 210_000_000,
            "packet_hops_per_s": 23_000_000,
            "events": 400_000_000,
            "compile_s": 0.2,
            "peak_memory_bytes": 412_000_000,
        },
        "conservation": {
            "sent": 170_000_000,
            "delivered": 169_950_377,
            "in_flight": 0,
            "dropped": {"DROP_TAIL": 48_413, "DROP_AQM": 1_210},
        },
        "services": {},
        "links": {},
        "slices": {},
        "expect": [],
        "assumptions": [],
    }


def _service(
    kind: str, goodput: float, draws: np.ndarray, *, tcp: bool, retransmissions: int, loss: float
) -> dict:
    def spread(values: np.ndarray) -> dict:
        found = [
            values.min(),
            *np.quantile(values, [0.5, 0.9, 0.95, 0.99, 0.999]),
            values.max(),
            values.mean(),
        ]
        return dict(zip(LATENCY_FIELDS, map(float, found), strict=True))

    service = {
        "kind": kind,
        "flows": 1,
        "goodput_bps": float(goodput),
        "latency_s": spread(draws),
        "loss": loss,
        "delay_variation_s": float(np.ptp(draws)),
        "sent_packets": 1_000_000,
        "delivered_packets": int(1_000_000 * (1 - loss)),
        "retransmissions": retransmissions,
        "timeouts": 0,
        "completed_flows": 0,
        "jain": 1.0,
    }
    if tcp:
        service["rtt_s"] = spread(draws * 2)
    return service


def _link(utilisation: float, rate: float, queue: np.ndarray, drops: dict) -> dict:
    return {
        "utilisation": float(utilisation),
        "throughput_bps": float(utilisation * rate),
        "queue_bytes_max": int(queue.max()),
        "queue_bytes_mean": float(queue.mean()),
        "queue_packets_mean": float(queue.mean() / 1500),
        "drops": drops,
        "marks": 0,
    }


def _node(name: str, kind: str, x: float, y: float) -> dict:
    return {"name": name, "kind": kind, "location": [y, x], "x": float(x), "y": float(y)}


def _wire(a: str, b: str, rate: float, delay: float) -> dict:
    return {
        "name": f"{a}-{b}",
        "endpoints": [a, b],
        "rate_bps": int(rate),
        "delay_s": delay,
        "mtu_bytes": 1500,
        "ports": [f"{a}->{b}", f"{b}->{a}"],
    }


def _histogram(service: str, what: str, draws: np.ndarray) -> list[tuple]:
    first, last = np.floor(np.log2(draws.min())), np.ceil(np.log2(draws.max()))
    octaves = 2.0 ** np.arange(first, last)
    edges = np.concatenate([o * (1 + np.arange(64) / 64) for o in octaves] + [[2.0**last]])
    counts, _ = np.histogram(draws, edges)
    return [
        (service, what, float(edges[i]), float(edges[i + 1]), int(counts[i])) for i in np.flatnonzero(counts)
    ]


def _begin(folder: Path, text: str, expanded: dict, metrics: dict, argv: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    start = {
        "format": 1,
        "run": metrics["run"],
        "trial": metrics["trial"],
        "mode": "simulate",
        "seed": metrics["seed"],
        "argv": ["netarium", *argv],
        "typed": {"file": f"{metrics['trial']}.trial.yml", "text": text, "overrides": []},
        "expanded": expanded,
        "digests": {k: metrics["digests"][k] for k in ("plan", "kernel")},
        "versions": {"netarium": "0.1.0", "python": "3.11.2", "numpy": "2.4.0", "numba": "0.68.0"},
        "machine": {
            "system": "Linux 6.1",
            "processor": "an ordinary processor",
            "cores": 2,
            "memory_bytes": 8_000_000_000,
        },
        "started": "2026-11-23T20:15:07Z",
        "assumptions": metrics["assumptions"],
        "estimate": {"packet_hops": 205_000_000, "wall_s": 10.0},
    }
    (folder / "start.json").write_text(json.dumps(start))
    (folder / "trial.yml").write_text(text)
    return folder


def _end(folder: Path, metrics: dict, topology: dict, status: str) -> Path:
    metrics["status"] = status
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "topology.json").write_text(json.dumps(topology))
    (folder / "stop.json").write_text(
        json.dumps(
            {
                "status": status,
                "exit_code": 0 if status == "succeeded" else 1,
                "ended": "2026-11-23T20:15:17Z",
                "reason": "",
                "files": [],
            }
        )
    )
    return folder


def _write(folder: Path, name: str, columns: dict) -> None:
    """Names as dictionaries and NaN as null, as the store writes them."""
    arrays = {}
    for key, values in columns.items():
        array = pa.array(values, from_pandas=True)
        arrays[key] = array.dictionary_encode() if pa.types.is_string(array.type) else array
    pq.write_table(pa.table(arrays), folder / f"{name}.parquet")


def _series_services(folder: Path, times, names, goodput, base, spread) -> None:
    step, (samples, count) = times[1] - times[0], goodput.shape
    delivered = np.cumsum(goodput / 8 * step, axis=0)
    loss = np.zeros((samples, count))
    _write(
        folder,
        "series_services",
        {
            "time_s": np.repeat(times, count),
            "service": names * samples,
            "delivered_bytes": delivered.ravel(),
            "goodput_bps": goodput.ravel(),
            "sent_bytes": (delivered * 1.01).ravel(),
            "retransmissions": np.zeros(samples * count, np.int64),
            "active_flows": np.ones(samples * count, np.int64),
            "latency_min_s": base.ravel(),
            "latency_mean_s": (base + spread / 2).ravel(),
            "latency_max_s": (base + spread).ravel(),
            "loss": loss.ravel(),
        },
    )


def _series_flows(folder: Path, times, services, goodput, random) -> None:
    samples, count = goodput.shape
    phase = random.uniform(0, 3, count)
    window = 300e6 * (0.7 + 0.3 * (((times[:, None] + phase) % 3) / 3) ** 3) * goodput / goodput.max(axis=0)
    _write(
        folder,
        "series_flows",
        {
            "time_s": np.repeat(times, count),
            "flow": list(range(count)) * samples,
            "service": list(services) * samples,
            "goodput_bps": goodput.ravel(),
            "cwnd_bytes": window.ravel(),
            "ssthresh_bytes": (window * 0.7).ravel(),
            "srtt_s": (0.0132 + 0.002 * random.random((samples, count))).ravel(),
            "in_flight_bytes": window.ravel(),
            "retransmissions": np.zeros(samples * count, np.int64),
            "pacing_bps": np.zeros(samples * count),
        },
    )


def _series_ports(folder: Path, times, ports, utilisation, queue, random) -> None:
    samples, count = queue.shape
    _write(
        folder,
        "series_ports",
        {
            "time_s": np.repeat(times, count),
            "port": list(ports) * samples,
            "utilisation": utilisation.ravel(),
            "throughput_bps": (utilisation * 100e9).ravel(),
            "queue_bytes": queue.astype(np.int64).ravel(),
            "queue_packets": (queue / 1500).astype(np.int64).ravel(),
            "drops": random.poisson(0.1, samples * count),
            "marks": np.zeros(samples * count, np.int64),
        },
    )


def _flows(folder: Path, rows: list[tuple]) -> None:
    fields = (
        "flow",
        "service",
        "from",
        "to",
        "start_s",
        "end_s",
        "size_bytes",
        "delivered_bytes",
        "completion_s",
        "slowdown",
        "retransmissions",
        "timeouts",
    )
    _write(folder, "flows", dict(zip(fields, map(list, zip(*rows, strict=True)), strict=True)))


def _latency(folder: Path, rows: list[tuple]) -> None:
    fields = ("service", "what", "low_s", "high_s", "count")
    _write(folder, "latency", dict(zip(fields, map(list, zip(*rows, strict=True)), strict=True)))
