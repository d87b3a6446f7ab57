#!/usr/bin/env python3
"""The dumbbell in ns.py (SimPy): `python nspy_dumbbell.py --flows 10 --seconds 1`; prints one JSON line.

Needs `pip install ns.py` in a virtual environment of its own. Its TCP has neither SACK nor delayed ACKs, so only the rate of
packet-hops is compared, never the results.
"""

import argparse
import json
import sys
import time

import simpy
from ns.demux.fib_demux import FIBDemux
from ns.flow.cubic import TCPCubic
from ns.flow.flow import Flow
from ns.packet.tcp_generator import TCPPacketGenerator
from ns.packet.tcp_sink import TCPSink
from ns.port.port import Port
from ns.port.wire import Wire


class Dumbbell:
    """Senders, two routers, receivers: three ports and wires each way."""

    def __init__(self, flows, seconds):
        self.env = simpy.Environment()
        self.ports = []
        forward, there = self.hop(1e9, 0.010, 1667)
        backward, back = self.hop(1e9, 0.010, 1667)
        receivers, senders = {}, {}
        for wire, ends in ((there, receivers), (back, senders)):
            wire.out = FIBDemux(fib={}, outs=[])
            wire.out.ends = ends  # its constructor drops an empty dictionary
        for i in range(flows):
            start = 1e-3 * i / flows + 1e-9
            flow = Flow(fid=i, src=f"s{i}", dst=f"d{i}", start_time=start, finish_time=seconds)
            control = TCPCubic(mss=1500, cwnd=15000, ssthresh=int(1500 * 2500 / flows + 3000))
            sender = TCPPacketGenerator(self.env, flow=flow, cc=control, element_id=flow.src)
            sender.mss = 1500
            receiver = TCPSink(self.env, rec_arrivals=False, rec_waits=False, rec_flow_ids=False)
            sender.out, out = self.hop(10e9, 10e-6)
            out.out = forward
            receivers[i], out = self.hop(10e9, 10e-6)
            out.out = receiver
            receiver.out, out = self.hop(10e9, 10e-6)
            out.out = backward
            senders[10000 + i], out = self.hop(10e9, 10e-6)
            out.out = sender

    def hop(self, rate, delay, limit=None):
        port, wire = Port(self.env, rate=rate, qlimit=limit), Wire(self.env, lambda: delay)
        port.out = wire
        self.ports.append(port)
        return port, wire


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.0)
    given = parser.parse_args()
    network = Dumbbell(given.flows, given.seconds)
    cpu, wall = time.process_time(), time.perf_counter()
    network.env.run(until=given.seconds)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    hops = sum(port.packets_received - port.packets_dropped for port in network.ports)
    document = {
        "peer": "ns.py", "flows": given.flows, "virtual_s": given.seconds, "cpu_s": cpu, "wall_s": wall,
        "packet_hops": hops, "packet_hops_per_s": hops / cpu,
    }  # fmt: skip
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
