"""Real hosts: how soon they are up and down, memory, programs a second; Mininet in the same run where it is installed.

    python -m bench.hosts                      1,000 and 4,096 hosts, three rounds
    python -m bench.hosts 300 --rounds 1
    python -m bench.hosts 1000 --mininet /usr/bin/python3     a Python that has mininet

Root. Every host has an interface with an IPv4 and an IPv6 address, two routes and two permanent neighbours. Each measurement is
a process of its own; rows take turns. Memory is what the machine has less of while they are up: kernel and processes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from netarium.compile.hosts import Emulation, Interface, Neighbour, Program, RealHost, Route

ROOT = Path(__file__).resolve().parents[1]
MININET = ROOT / "bench/peers/mininet_hosts.py"
MININET_HOSTS_MAX = 1000
PROGRAMS = 200
TARGETS = {1000: (3.0, 2.0, None), 4096: (20.0, None, 3.0)}
"""Hosts -> seconds to be up in, seconds to be down in, GB."""


def emulation(count: int, programs: int = 0) -> Emulation:
    """Hosts of a star: each knows the first, which is its gateway."""
    hosts = tuple(_host(number) for number in range(1, count + 1))
    run = tuple(
        Program(f"p{number}", 0, f"h{number % count + 1}", ("true",), start_ps=0)
        for number in range(programs)
    )
    return Emulation(hosts, {host.node: (_address(host.node_index),) for host in hosts}, programs=run)


def _host(number: int) -> RealHost:
    gateway = 2 if number == 1 else 1
    interface = Interface("eth0", _mac(number), (f"{_address(number)}/8", f"fd00::{number:x}/64"), 1500, 0, 1)
    return RealHost(
        f"h{number}",
        number,
        (interface,),
        routes=(Route("default", _address(gateway), "eth0"), Route("default", f"fd00::{gateway:x}", "eth0")),
        neighbours=(
            Neighbour(_address(gateway), _mac(gateway), "eth0"),
            Neighbour(f"fd00::{gateway:x}", _mac(gateway), "eth0"),
        ),
        hostname=f"h{number}",
    )


def _address(number: int) -> str:
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def _mac(number: int) -> str:
    return f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"


def available_bytes() -> int:
    """MemAvailable of this machine."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))


def hosts_once(count: int) -> dict[str, float]:
    """Raise and take down so many hosts."""
    from netarium.run.emulate.hosts import raise_hosts
    from netarium.run.emulate.tap import open_tap

    plan, before = emulation(count), available_bytes()
    began = time.perf_counter()
    hosts = raise_hosts(plan, open_tap)
    up_s, memory = time.perf_counter() - began, before - available_bytes()
    began = time.perf_counter()
    hosts.down()
    return {"hosts": count, "up_s": up_s, "down_s": time.perf_counter() - began, "memory_bytes": memory}


def programs_once(count: int) -> dict[str, float]:
    """Start so many isolated programs on ten hosts and see them end: programs a second."""
    from netarium.run.emulate.facility import Facility
    from netarium.run.emulate.tap import open_tap

    with (
        tempfile.TemporaryDirectory(prefix="netarium-bench-") as runtime,
        Facility("bench", emulation(10, count), open_tap, runtime=Path(runtime)) as facility,
    ):
        began = time.perf_counter()
        while not facility.supervisor.idle:
            facility.supervisor.poll(int((time.perf_counter() - began) * 1e12))
            facility.supervisor.wait(0.005)
        seconds = time.perf_counter() - began
        assert not facility.supervisor.failures
    return {"programs": count, "programs_per_s": count / seconds}


def last_line(command: list[str]) -> dict[str, Any]:
    """Run a measuring process; its last line of output is its result."""
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def measure(counts: list[int], rounds: int, mininet: str | None) -> dict[str, list[dict[str, Any]]]:
    """Row -> its measurements; rows take turns in every round."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for _ in range(rounds):
        for count in counts:
            rows.setdefault(f"hosts-{count}", []).append(_one("--hosts", count))
            if mininet is not None and count <= MININET_HOSTS_MAX:
                rows.setdefault(f"mininet-{count}", []).append(last_line([mininet, str(MININET), str(count)]))
        rows.setdefault("programs", []).append(_one("--programs", PROGRAMS))
    return rows


def _one(option: str, count: int) -> dict[str, Any]:
    return last_line([sys.executable, "-m", "bench.hosts", option, str(count)])


def table(rows: dict[str, list[dict[str, Any]]]) -> None:
    """Median of each, with the least and the most."""
    for name, results in rows.items():
        texts = []
        for key, unit, scale in (
            ("up_s", "s up", 1.0), ("down_s", "s down", 1.0), ("memory_bytes", "GB", 1e9), ("programs_per_s", "/s", 1.0),
        ):  # fmt: skip
            values = [result[key] / scale for result in results if key in result]
            if values:
                middle = statistics.median(values)
                texts.append(f"{middle:8.2f} {unit} ({min(values):.2f}-{max(values):.2f})")
        print(f"{name:16}", "  ".join(texts))
    for count, (up_s, down_s, gigabytes) in TARGETS.items():
        if f"hosts-{count}" in rows:
            wanted = [
                f"up in {up_s:g} s",
                f"down in {down_s} s" if down_s else "",
                f"below {gigabytes} GB" if gigabytes else "",
            ]
            print(f"to reach with {count}: {', '.join(filter(None, wanted))}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.hosts", description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[1000, 4096])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--mininet", default=os.environ.get("NETARIUM_MININET"), help="Python that has mininet"
    )
    parser.add_argument("--json", type=Path, default=ROOT / "runs/bench-hosts.json")
    parser.add_argument("--hosts", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--programs", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.hosts or given.programs:
        print(json.dumps(hosts_once(given.hosts) if given.hosts else programs_once(given.programs)))
        return
    from bench import machine

    rows = measure(given.counts, given.rounds, given.mininet)
    table(rows)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({"machine": machine.facts(ROOT), "rows": rows}, indent=1))
    print(f"wrote {given.json}")


if __name__ == "__main__":
    main()
