"""Campaigns: how near to ideal many tiny trials come, on this machine's pool and on Ray; how fast the store answers.

    python -m bench.campaign [--trials 10000] [--work-ms 5] [--workers 2] [--ray]

The trial's virtual time is chosen so that one takes about `--work-ms` on this machine.

*Ideal* is the time that the same trials' engine and measuring take in one warm process (simulate and
metrics_document, of plans that are ready), divided by the workers. Everything else counts as overhead: starting the
workers, making plans, sending, recording, joining the parts. Where other programs use the machine too, one process
gets a larger share of it than each of several. So two more ratios are given: to as many warm processes at once as
there are workers, and of processor times, which others change little.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.machine import facts

CAMPAIGN: dict[str, Any] = {
    "campaign": "tiny",
    "base": {
        "trial": "tiny",
        "network": {
            "topology": {
                "kind": "dumbbell",
                "left": 2,
                "rate": "100 Mbit/s",
                "delay": "5 ms",
                "queue": {"kind": "pfifo", "limit": 100},
            }
        },
        "services": {"flows": {"kind": "bulk", "from": "senders", "to": "receivers", "pairs": "each"}},
    },
    "sweeps": [
        {
            "parameters": {
                "transport.congestion": ["reno", "cubic", "bbr", "dctcp"],
                "network.topology.delay": {"from": "1 ms", "to": "20 ms", "count": 5, "scale": "log"},
                "network.topology.queue.limit": [25, 50, 100, 200, 400],
            }
        }
    ],
    "metrics": ["flows.*", "links.left->right.*"],
}
CLUSTER_PORT, CLUSTER_START_S, CLUSTER_SETTLES_S = 6399, 60.0, 5.0


def design_of(trials: int, virtual_ms: int) -> Any:
    """100 variants of a trial of so much virtual time, with as many seeds as make up so many trials."""
    from netarium.describe.campaign import Campaign
    from netarium.operate.campaign.campaignfile import design

    base = {
        **CAMPAIGN["base"],
        "duration": f"{virtual_ms} ms",
        "probes": {"interval": f"{virtual_ms / 10} ms"},
    }
    return design(Campaign.model_validate({**CAMPAIGN, "base": base, "seeds": max(1, trials // 100)}))


def calibrated(work_ms: float) -> int:
    """The virtual milliseconds that a trial of so much work has here."""
    virtual_ms = 100 * work_ms
    for _ in range(4):
        virtual_ms *= work_ms / (1e3 * ideal(design_of(100, round(virtual_ms)), 200, 1)["processor_s"])
    return round(virtual_ms)


def ideal(design: Any, sample: int, workers: int) -> dict[str, float]:
    """Seconds of engine and measuring of one trial, on average over some trials in one warm process."""
    from netarium.measure.document import metrics_document
    from netarium.operate.campaign.warmup import warm_up
    from netarium.operate.runner import admit
    from netarium.run.simulate import simulate

    warm_up()
    jobs = random.Random(1).sample(list(design.jobs()), min(sample, len(design)))
    plans = {}
    for job in jobs:
        plans[job.id] = admit(design.trial(job.variant, job.seed, job.mode))
    wall, processor = time.perf_counter(), time.process_time()
    for job in jobs:
        plan = plans[job.id]
        metrics_document(simulate(plan), plan.trial, run=job.id)
    count = len(jobs)
    alone = {
        "wall_s": (time.perf_counter() - wall) / count,
        "processor_s": (time.process_time() - processor) / count,
    }
    return alone | {"at_once_s": _at_once([plans[job.id] for job in jobs], workers)}


def _at_once(plans: list[Any], workers: int) -> float:
    """Seconds of a worker for one trial, when as many warm processes as workers do them at once."""
    from netarium.measure.document import metrics_document
    from netarium.run.simulate import simulate

    began = time.perf_counter()
    pids = []
    for number in range(workers):
        pid = os.fork()
        if pid == 0:
            for plan in plans[number::workers]:
                metrics_document(simulate(plan), plan.trial, run="ideal")
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    return (time.perf_counter() - began) * workers / len(plans)


class Memory(threading.Thread):
    """Watches the memory of this process and all below it: the proportional share of each, most of the sum."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most_bytes = 0
        self.ended = threading.Event()

    def run(self) -> None:
        import psutil

        me = psutil.Process()
        while not self.ended.wait(3.0):  # to look takes 10 ms
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.most_bytes = max(self.most_bytes, total)


def campaign(design: Any, workers: int, ray: str | None) -> dict[str, float]:
    """Run it once; wall and processor seconds of everything, and the memory it took."""
    from netarium.operate.campaign.runner import Options, run_campaign

    watching = Memory()
    watching.start()
    with tempfile.TemporaryDirectory() as folder:
        before = _processor_s()
        began = time.perf_counter()
        outcome = run_campaign(design, Options(Path(folder), workers, ray=ray, keep="none"))
        wall_s = time.perf_counter() - began
        used = _processor_s() - before
    watching.ended.set()
    if outcome.statuses != {"succeeded": len(design)}:
        raise SystemExit(f"not all trials succeeded: {outcome.statuses}")
    return {"wall_s": wall_s, "processor_s": used, "memory_mb": watching.most_bytes / 1e6}


def _processor_s() -> float:
    """Processor seconds of this process and of those below it that have ended."""
    own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime


def compared(design: Any, workers: int, ray: str | None, sample: int) -> dict[str, Any]:
    """One campaign against the ideal measured right before and right after it."""
    before = ideal(design, sample, workers)
    took = campaign(design, workers, ray)
    after = ideal(design, sample, workers)
    one = {key: (before[key] + after[key]) / 2 for key in before}
    count = len(design)
    return {
        "where": f"ray {ray}" if ray else "pool",
        "trials": count,
        "workers": workers,
        "trial_ms": 1e3 * one["wall_s"],
        "trial_processor_ms": 1e3 * one["processor_s"],
        "ideal_s": count * one["wall_s"] / workers,
        "took_s": took["wall_s"],
        "took_processor_s": took["processor_s"],
        "of_ideal": count * one["wall_s"] / workers / took["wall_s"],
        "of_warm_processes_at_once": count * one["at_once_s"] / workers / took["wall_s"],
        "of_ideal_by_processor_time": count * one["processor_s"] / took["processor_s"] if not ray else None,
        "memory_mb": took["memory_mb"],
        "load_before_and_after": [round(load, 2) for load in os.getloadavg()[:2]],
    }


@contextlib.contextmanager
def standing_cluster(workers: int) -> Iterator[str]:
    """A Ray cluster of one node on this machine, in processes of its own; its address."""
    command = [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--head",
        "--block",
        "--port",
        str(CLUSTER_PORT),
    ]
    command += [
        "--num-cpus",
        str(workers),
        "--include-dashboard",
        "false",
        "--object-store-memory",
        str(80 * 2**20),
    ]
    command += ["--node-ip-address", "127.0.0.1", "--disable-usage-stats"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as cluster:
        until = time.monotonic() + CLUSTER_START_S
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", CLUSTER_PORT), 1.0):
                break
            time.sleep(0.2)
        time.sleep(CLUSTER_SETTLES_S)
        try:
            yield f"127.0.0.1:{CLUSTER_PORT}"
        finally:
            cluster.terminate()


def store(trials: int) -> dict[str, Any]:
    """Listing, filtering and asking over so many recorded trials of 25 campaigns."""
    from bench.campaignstore import answer_times

    with tempfile.TemporaryDirectory() as folder:
        return answer_times(Path(folder), trials)


def main() -> None:
    """Measure, print one JSON document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--work-ms", type=float, default=5.0, help="engine and measuring of one trial, about")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument(
        "--ray", action="store_true", help="on Ray too: a cluster that stands, and one of its own"
    )
    parser.add_argument("--no-store", action="store_true", help="leave out the store")
    asked = parser.parse_args()
    from netarium.store.arrow import without_pandas

    without_pandas()  # as the command line does
    design = design_of(asked.trials, calibrated(asked.work_ms))
    rows = [compared(design, asked.workers, None, asked.sample)]
    if asked.ray:
        with standing_cluster(asked.workers) as address:
            rows.append(compared(design, asked.workers, address, asked.sample))
        rows.append(compared(design, asked.workers, "local", asked.sample))
    found: dict[str, Any] = {"machine": facts(Path(__file__).parents[1]), "campaigns": rows}
    if not asked.no_store:
        found["store"] = store(100_000)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
