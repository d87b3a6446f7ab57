"""Real hosts made by hand for measuring the engine alone: namespaces held by sleeping processes, one TAP device each.

`real_plan` compiles a trial and gives the named nodes addresses 10.0.0.n/32 and fd00::n/128 behind a gateway that is their
modelled neighbour; `hosts` makes them, and yields what `emulate` needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from netarium.compile.compile import _tables, compile_trial
from netarium.compile.epochs import epochs
from netarium.compile.hosts import Emulation, FlowRule, Interface, Neighbour, RealHost, Route
from netarium.compile.routing import next_hop_tables
from netarium.describe.loader import loads
from netarium.run.emulate.tap import inside, open_tap

GATEWAY, GATEWAY6 = "10.255.0.1", "fe80::1"


class RealPlan:
    """A plan with real hosts."""

    def __init__(self, plan: Any, emulation: Emulation) -> None:
        self._plan, self.emulation = plan, emulation
        self.arrays = dict(plan.arrays)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)


class Namespace:
    """A network namespace that lives as long as its holder."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--uts", "sh", "-c", f"hostname {name}; echo; exec sleep 86400"],
            stdout=subprocess.PIPE,
        )
        self.holder.stdout.readline()
        self.fd = os.open(f"/proc/{self.holder.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def command(self, *words: str) -> list[str]:
        """A command line that runs in the namespace."""
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *words]

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess:
        """Run a command in the namespace."""
        return subprocess.run(self.command(*words), capture_output=True, text=True, check=check)

    def start(self, *words: str) -> subprocess.Popen:
        """Start a command in the namespace."""
        return subprocess.Popen(
            self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def close(self) -> None:
        """End the holder, and with it the namespace."""
        os.close(self.fd)
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


def address(index: int) -> str:
    """IPv4 address of the index-th real host."""
    return f"10.0.{(index + 1) // 256}.{(index + 1) % 256}"


def address6(index: int) -> str:
    """Its IPv6 address."""
    return f"fd00::{index + 1:x}"


def real_plan(
    trial: dict[str, Any],
    real: Sequence[str],
    rules: Sequence[tuple] = (),
) -> RealPlan:
    """Compile a trial with some real hosts. rules: (service, from, to[, band]): all frames between two hosts."""
    plan = compile_trial(loads(json.dumps({"trial": "real-hosts", **trial})))
    graph = plan.graph
    hosts = []
    for index, node in enumerate(real):
        number = graph.node_index[node]
        interfaces, neighbours, routes = [], [], []
        for rank, port in enumerate(graph.out_ports[number]):
            name, mac = f"eth{rank}", f"02:00:00:00:{port:02x}:{index + 1:02x}"
            addresses = (f"{address(index)}/32", f"{address6(index)}/128") if rank == 0 else ()
            interfaces.append(Interface(name, mac, addresses, int(graph.mtu_bytes[port]), port, port ^ 1))
            gateway = f"02:fe:00:00:00:{port:02x}"
            neighbours += [Neighbour(GATEWAY, gateway, name), Neighbour(GATEWAY6, gateway, name)]
            if rank == 0:
                routes += [Route("default", GATEWAY, name), Route("default", GATEWAY6, name)]
        hosts.append(RealHost(node, number, tuple(interfaces), tuple(routes), tuple(neighbours)))
    models = [node for node in graph.node_names if node not in real]
    names = {node: (f"10.9.{i // 250}.{i % 250 + 1}", f"fd00:9::{i + 1:x}") for i, node in enumerate(models)}
    names |= {node: (address(i), address6(i)) for i, node in enumerate(real)}
    services = list(plan.service_names)
    flows = tuple(
        FlowRule(
            services.index(service), graph.node_index[src], graph.node_index[dst], band=band[0] if band else 0
        )
        for service, src, dst, *band in rules
    )
    wired = RealPlan(plan, Emulation(tuple(hosts), names, flows))
    network = plan.trial.network.expand()
    changes = epochs(graph, plan.trial.events, network.routing.reconvergence)
    everything = list(range(graph.node_count))
    tables = [
        next_hop_tables(graph, everything, network.routing.metric, plan.ecmp, down, aggregate=True)
        for _, down in changes
    ]
    wired.arrays.update(_tables(tables))
    return wired


@contextlib.contextmanager
def hosts(
    plan: RealPlan, offload: bool = True
) -> Iterator[tuple[dict[str, Namespace], dict[tuple[str, str], int]]]:
    """Namespaces and TAP devices of a plan's real hosts, configured; all is gone at the end."""
    spaces: dict[str, Namespace] = {}
    fds: dict[tuple[str, str], int] = {}
    try:
        for host in plan.emulation.hosts:
            space = spaces[host.node] = Namespace(host.node)
            space.run("ip", "link", "set", "lo", "up")
            inside(space.fd, _quiet)
            for interface in host.interfaces:
                fd = open_tap(space.fd, interface.name, interface.mac, interface.mtu_bytes, offload)
                fds[host.node, interface.name] = fd
                space.run("ip", "link", "set", interface.name, "up")
                for each in interface.addresses:
                    space.run(
                        "ip",
                        "address",
                        "add",
                        each,
                        "dev",
                        interface.name,
                        "nodad" if ":" in each else "scope",
                        *([] if ":" in each else ["global"]),
                    )
            for near in host.neighbours:
                space.run(
                    "ip",
                    "neigh",
                    "replace",
                    near.address,
                    "lladdr",
                    near.mac,
                    "dev",
                    near.interface,
                    "nud",
                    "permanent",
                )
            for route in host.routes:
                family = ["-6"] if ":" in route.via else []
                space.run(
                    "ip",
                    *family,
                    "route",
                    "add",
                    route.prefix,
                    "via",
                    route.via,
                    "dev",
                    route.interface,
                    "onlink",
                )
        yield spaces, fds
    finally:
        for fd in fds.values():
            os.close(fd)
        for space in spaces.values():
            space.close()


def _quiet() -> None:
    """No router solicitations, no duplicate address detection."""
    for name, value in (("accept_dad", "0"), ("router_solicitations", "0"), ("accept_ra", "0")):
        with open(f"/proc/sys/net/ipv6/conf/default/{name}", "w") as setting:
            setting.write(value)


def line(rate: str, delay: str, real: Sequence[str] = ("a", "b"), **link: Any) -> dict[str, Any]:
    """A network a - r - b whose second link has the rate and delay given."""
    return {
        "nodes": {real[0]: {"kind": "host"}, "r": {"kind": "router"}, real[1]: {"kind": "host"}},
        "links": [
            {"endpoints": [real[0], "r"], "rate": "100 Gbit/s", "delay": "1 us"},
            {"endpoints": ["r", real[1]], "rate": rate, "delay": delay, **link},
        ],
    }


def seconds(plan: Any) -> float:
    """Length of a plan."""
    return float(np.int64(plan.duration_ps)) / 1e12
