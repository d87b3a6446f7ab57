"""Campaign folders made by hand, with effects that are known: what the show stage is tested on."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

UNITS = {"goodput": "bit/s", "latency.p95": "s", "retransmissions": "", "loss": "ratio"}
CONTROLS, BUFFERS, PATHS = ("reno", "cubic", "bbr"), ("30 kB", "250 kB"), ("short", "long")
GAIN_BPS = {"reno": 0.0, "cubic": 2e6, "bbr": 8e6}
CAUSE = "the worker was killed by signal 11 (segmentation fault)"


def shootout(
    folder: Path,
    *,
    seeds: int = 12,
    noise_bps: float = 1e6,
    modes: tuple[str, ...] = ("simulate",),
    failed: int = 0,
    missing: int = 0,
    runs: Path | None = None,
    paths: tuple[str, ...] = PATHS,
    random_part: bool = True,
) -> Path:
    """Controls x buffers x paths x seeds: bbr has 8 Mbit/s more than reno, cubic 2; a long path has half of all.

    failed: the last trials of reno crashed. missing: trials that have not ended. runs: a run folder for the first
    trial of each control. random_part: without it every seed gives the same goodput.
    """
    random = np.random.default_rng(5)
    rows: list[dict[str, Any]] = []
    every = itertools.product(CONTROLS, BUFFERS, paths, modes, range(1, seeds + 1))
    for control, buffer, path, mode, seed in every:
        goodput = 20e6 + GAIN_BPS[control]
        if random_part:
            goodput += 1e6 * np.sin(seed) + random.normal(0, noise_bps)
        goodput *= (0.5 if path == "long" else 1) * (0.95 if mode == "emulate" else 1)
        delay = (0.02 if path == "short" else 0.1) + (0.03 if buffer == "250 kB" else 0.005) * (
            control != "bbr"
        )
        rows.append(
            {
                **_fixed(f"{control}-{buffer}-{path}-{mode}-{seed}", f"congestion={control}, limit={buffer}, path={path}"),
                "seed": seed,
                "mode": mode,
                "param.services.flow.transport.congestion": control,
                "param.network.links[0].queue.limit": 1000.0 * int(buffer.split()[0]),
                "param.network.links[0].queue.limit.text": buffer,
                "param.path": path,
                "metric.flow.goodput": goodput,
                "metric.flow.latency.p95": delay + random.normal(0, 0.001),
                "metric.flow.retransmissions": float(random.integers(0, 50)),
            }
        )  # fmt: skip
    if runs is not None:
        for control in CONTROLS:
            first = next(row for row in rows if f"congestion={control}" in row["variant"])
            first["run"] = _linked(folder, runs, f"run-{control}")
    for row in [row for row in rows if "congestion=reno" in row["variant"]][-failed:] if failed else []:
        row.update(status="crashed", cause=CAUSE)
        row.update({key: None for key in row if key.startswith("metric.")})
    parameters = [
        {"name": "congestion", "path": "services.flow.transport.congestion", "values": list(CONTROLS)},
        {"name": "limit", "path": "network.links[0].queue.limit", "values": list(BUFFERS)},
        {"name": "path", "path": "path", "values": list(paths)},
    ]
    return write(folder, rows[: len(rows) - missing], parameters, len(rows), leader="flow.goodput")


def one_variant(folder: Path, values: list[float]) -> Path:
    """Nothing swept, one value of goodput per seed."""
    rows = [
        {**_fixed(f"base-{seed}", "base"), "seed": seed, "mode": "simulate", "metric.flow.goodput": value}
        for seed, value in enumerate(values, 1)
    ]
    return write(folder, rows, [], len(rows))


def write(
    folder: Path, rows: list[dict[str, Any]], parameters: list[dict], trials: int, leader: str | None = None
) -> Path:
    """The folder of a campaign with these trials, in the format of docs/campaigns.md."""
    (folder / "results").mkdir(parents=True)
    for order, row in enumerate(rows):
        row["order"] = order
    names = list(dict.fromkeys(name for row in rows for name in row))
    fields, columns = [], []
    for name in names:
        kind = pa.bool_() if name.startswith("verdict.") else None
        column = pa.array([row.get(name) for row in rows], type=kind)
        unit = next((unit for word, unit in UNITS.items() if name.endswith(word)), "")
        fields.append(
            pa.field(name, column.type, metadata={"unit": unit if name.startswith("metric.") else ""})
        )
        columns.append(column)
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), folder / "results" / "part-000001.parquet")
    document = {
        "format": 1, "name": folder.name, "campaign": "made", "title": "Made by hand", "parameters": parameters,
        "seeds": sorted({row["seed"] for row in rows}), "modes": sorted({row["mode"] for row in rows}),
        "metrics": [{"name": name.removeprefix("metric.")} for name in names if name.startswith("metric.")],
        "trials": trials, "leader": {"metric": leader, "best": "highest"} if leader else None,
        "digests": {"campaign": "c0ffee"}, "versions": {"netarium": "0.1.0"}, "machine": {"cpu_count": 2},
        "started": "2026-11-25T23:00:00.000Z",
    }  # fmt: skip
    (folder / "campaign.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "campaign.yml").write_text(
        "campaign: made\nbase: <script>alert(1)</script>\n", encoding="utf-8"
    )
    if len(rows) == trials:
        (folder / "stop.json").write_text(json.dumps({"format": 1, "status": "succeeded"}), encoding="utf-8")
    return folder


def _fixed(name: str, variant: str) -> dict[str, Any]:
    return {
        "id": name, "variant": variant, "status": "succeeded", "cause": "", "wall_s": 0.05, "order": 0, "run": "",
        "trial_digest": "", "plan_digest": "", "kernel_digest": "", "source": "", "verdict.expect": None,
        "verdict.certified": None,
    }  # fmt: skip


def _linked(folder: Path, runs: Path, name: str) -> str:
    """A run folder of the campaign, made of an existing one; its path relative to the campaign."""
    import shutil

    shutil.copytree(runs, folder / "runs" / name)
    return f"runs/{name}"
