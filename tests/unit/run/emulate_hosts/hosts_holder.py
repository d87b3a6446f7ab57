"""A run of real hosts in a process of its own, for tests that kill it: argument: how many hosts."""

from __future__ import annotations

import os
import sys
import time

import small_network

from netarium.compile.hosts import Program
from netarium.run.emulate import tap
from netarium.run.emulate.facility import Facility

count = int(sys.argv[1])
marked = (("MARK", os.environ["NETARIUM_RUNTIME"]),)
programs = tuple(
    Program(f"sleep{n}", n, f"h{n}", ("sh", "-c", "sleep 1000 & sleep 1000"), env=marked) for n in (1, 2, 3)
)
print("starting", flush=True)
with Facility("held", small_network.hub(count, programs), tap.open_tap) as facility:
    facility.supervisor.check()
    with facility.programs(lambda: time.monotonic_ns() * 1000):
        print("up", flush=True)
        time.sleep(1000)
