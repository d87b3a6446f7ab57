"""Mininet's hosts for bench/hosts.py: as many, each on a Linux bridge with an address; no shaping. Argument: how many.

Runs under the Python that has mininet (Debian: apt install mininet); prints one JSON line. A bridge takes at most 200 hosts,
because Linux bridges have 1,024 ports.
"""

from __future__ import annotations

import json
import sys
import time

from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import Topo

HOSTS_A_BRIDGE = 200


class Star(Topo):
    """Bridges around one in the middle, hosts around each."""

    def build(self, count: int = 2) -> None:
        middle = self.addSwitch("s0")
        for number in range(count):
            if number % HOSTS_A_BRIDGE == 0:
                bridge = self.addSwitch(f"s{number // HOSTS_A_BRIDGE + 1}")
                self.addLink(middle, bridge)
            self.addLink(self.addHost(f"h{number + 1}"), bridge)


def available_bytes() -> int:
    with open("/proc/meminfo") as lines:
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))


count = int(sys.argv[1])
before = available_bytes()
began = time.perf_counter()
network = Mininet(Star(count=count), switch=LinuxBridge, controller=None, ipBase="10.0.0.0/8")
network.start()
up_s, memory_bytes = time.perf_counter() - began, before - available_bytes()
began = time.perf_counter()
network.stop()
print(
    json.dumps(
        {"hosts": count, "up_s": up_s, "down_s": time.perf_counter() - began, "memory_bytes": memory_bytes}
    )
)
