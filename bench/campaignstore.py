"""The store with many recorded trials: written as campaigns write it, listed, filtered and asked; seconds of each."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from array import array
from pathlib import Path
from typing import Any

CAMPAIGNS = 25
METRICS = 40
COMMANDS = {
    "ls": ["ls"],
    "ls --trials": ["ls", "--trials", "--limit", "20"],
    "ls --status --where": [
        "ls",
        "--status",
        "failed",
        "--where",
        '"metric.flows.m3" > 0.9',
        "--limit",
        "20",
    ],
    "query": ["query", 'SELECT variant, count(*), median("metric.flows.m1") FROM trials GROUP BY variant'],
}


def made_store(root: Path, trials: int) -> None:
    """A store of CAMPAIGNS campaigns that have so many trials between them, with made-up figures."""
    from netarium.store.campaignfolder import Described, open_folder

    names = tuple(f"flows.m{index}" for index in range(METRICS))
    each = trials // CAMPAIGNS
    for number in range(CAMPAIGNS):
        document = {
            "format": 1,
            "trials": each,
            "seeds": [1],
            "variants": each,
            "digests": {"campaign": str(number)},
        }
        folder, _ = open_folder(
            root,
            f"made-{number}",
            str(number),
            Described({"param.size": ("int64", "", "size")}, lambda _: "", lambda _: ""),
            lambda name, document=document: {**document, "name": name},
            "campaign: made\n",
            {},
        )
        folder.add(_row(number * each + index, names) for index in range(each))
        folder.finish({"status": "succeeded"})
        folder.close()


def _row(index: int, names: tuple[str, ...]) -> Any:
    from netarium.store.campaignfolder import Row

    fixed = {
        "id": f"{index:016x}",
        "variant": f"size={index % 40}",
        "seed": index // 40,
        "mode": "simulate",
        "status": "failed" if index % 50 == 0 else "succeeded",
        "cause": "expected more" if index % 50 == 0 else "",
        "wall_s": 0.005,
        "order": index,
        "run": "",
        "trial_digest": f"{index:064x}",
        "plan_digest": f"{index * 7919:064x}",
        "kernel_digest": "k" * 64,
        "source": "",
        "verdict.expect": index % 50 != 0,
        "verdict.certified": None,
    }
    values = array("d", [((index * (metric + 3)) % 1009) / 1009 for metric in range(len(names))])
    return Row(fixed, {"param.size": index % 40}, names, values.tobytes())


def answer_times(root: Path, trials: int) -> dict[str, Any]:
    """Wall seconds of whole commands, the start of Python among them: the best of three."""
    began = time.perf_counter()
    made_store(root, trials)
    found: dict[str, Any] = {
        "trials": trials,
        "campaigns": CAMPAIGNS,
        "writing_s": time.perf_counter() - began,
    }
    code = "from netarium.operate.cli import main; main()"
    for name, words in COMMANDS.items():
        times = []
        for _ in range(3):
            began = time.perf_counter()
            command = [sys.executable, "-c", code, *words, "--out", str(root), "--json"]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            times.append(time.perf_counter() - began)
        found[name] = {"seconds": min(times), "rows": len(json.loads(ran.stdout))}
    return found
