"""Make tests/peers/ns3_reference.json: what ns-3 measures on the dumbbell, for machines without ns-3.

    python -m bench.ns3_reference NS3_PYTHON [CASE...]

NS3_PYTHON is the interpreter of a virtual environment with `pip install ns3`. Takes some minutes a case; named cases are
renewed, the others kept. Every case runs bench/peers/ns3_dumbbell.py with the options written beside its results.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "tests/peers/ns3_reference.json"
SCRIPT = ROOT / "bench/peers/ns3_dumbbell.py"

SLOW = {"seconds": 30, "warm": 10, "mbit": 100, "queue": 167}
CASES: dict[str, dict[str, Any]] = {
    "cubic-4": {"congestion": "TcpCubic", "flows": 4, **SLOW},
    "cubic-10": {"congestion": "TcpCubic", "flows": 10, **SLOW},
    "cubic-10-gigabit": {
        "congestion": "TcpCubic", "flows": 10, "seconds": 10, "warm": 2, "mbit": 1000, "queue": 1667,
    },
    "linux-reno-4": {"congestion": "TcpLinuxReno", "flows": 4, **SLOW},
    "linux-reno-10": {"congestion": "TcpLinuxReno", "flows": 10, **SLOW},
    "new-reno-10": {"congestion": "TcpNewReno", "flows": 10, **SLOW},
    "new-reno-10-every-segment": {"congestion": "TcpNewReno", "flows": 10, "ack-every": 1, **SLOW},
}  # fmt: skip
"""Name -> options of the script: a bottleneck of `mbit`, a buffer of one bandwidth-delay product, `flows` senders."""
MEASURED = ("goodput_bps", "drops", "queue_packets_mean", "packet_hops")


def run_ns3(python: str, options: dict[str, Any]) -> dict[str, Any]:
    """One run of ns-3. Raises CalledProcessError when it fails."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    ran = subprocess.run([python, str(SCRIPT), *words], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def version_of(python: str) -> str:
    """Version of the ns3 distribution an interpreter has. Raises CalledProcessError when it has none."""
    code = "import importlib.metadata as m; print(m.version('ns3'))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Run the cases and write the reference after each."""
    python, *chosen = sys.argv[1:]
    document = json.loads(REFERENCE.read_text()) if REFERENCE.exists() else {"cases": {}}
    document["made_by"] = "python -m bench.ns3_reference, which runs bench/peers/ns3_dumbbell.py"
    document["peer"] = f"ns3 {version_of(python)} from the package index"
    for name in chosen or CASES:
        result = run_ns3(python, CASES[name])
        measured = {key: result[key] for key in MEASURED}
        document["cases"][name] = {"options": CASES[name], "measured": measured}
        REFERENCE.write_text(json.dumps(document, indent=2) + "\n")
        sys.stdout.write(f"{name}: {json.dumps(measured)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
