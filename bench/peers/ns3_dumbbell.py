#!/usr/bin/env python3
"""The dumbbell in ns-3, from its wheel: `python ns3_dumbbell.py --flows 10 --seconds 10`; prints one JSON line.

Needs `pip install ns3` in a virtual environment of its own (it pins its own cppyy). Links, buffers and TCP options are those
of examples/dumbbell.trial.yml: 1,448 bytes of payload in 1,500-byte IP packets (ns-3's PPP header adds 2 on the wire), SACK,
timestamps, an ACK for two segments, initial window 10, least RTO 200 ms. Goodput, drops and the time average of the
bottleneck's queue are counted from --warm on.
"""

import argparse
import json
import sys
import time

from ns import ns

WATCH = """
#include "ns3/core-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/applications-module.h"
#include "ns3/traffic-control-module.h"
namespace netarium {
using namespace ns3;
struct Watch {
  Ptr<Queue<Packet>> queue; double area = 0; double from = 0; double since = 0; uint32_t held = 0;
  uint64_t drops = 0; uint64_t drops_before = 0; std::vector<Ptr<PacketSink>> sinks; uint64_t received_before = 0;
  void Changed(uint32_t, uint32_t now) {
    double t = Simulator::Now().GetSeconds();
    if (t > from) area += held * (t - std::max(since, from));
    since = t; held = now;
  }
  void Dropped(Ptr<const Packet>) { drops++; }
  uint64_t Received() { uint64_t n = 0; for (auto &sink : sinks) n += sink->GetTotalRx(); return n; }
  void Begin() { received_before = Received(); drops_before = drops; }
  void End() { Changed(0, held); }
};
Watch watch;
void Attach(Ptr<NetDevice> device, double from) {
  watch.queue = DynamicCast<PointToPointNetDevice>(device)->GetQueue();
  watch.from = from;
  watch.queue->TraceConnectWithoutContext("PacketsInQueue", MakeCallback(&Watch::Changed, &watch));
  // A full device queue is stopped, and the layer above drops what comes (queue discs are uninstalled).
  device->GetNode()->GetObject<TrafficControlLayer>()->TraceConnectWithoutContext(
    "TcDrop", MakeCallback(&Watch::Dropped, &watch));
  Simulator::Schedule(Seconds(from), &Watch::Begin, &watch);
}
void Sink(Ptr<Application> sink) { watch.sinks.push_back(DynamicCast<PacketSink>(sink)); }
}
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warm", type=float, default=0.0)
    parser.add_argument("--congestion", default="TcpCubic", help="TcpCubic, TcpNewReno, TcpLinuxReno")
    parser.add_argument("--mbit", type=float, default=1000.0, help="rate of the bottleneck")
    parser.add_argument("--queue", type=int, default=1667, help="packets the bottleneck holds")
    parser.add_argument("--ack-every", type=int, default=2, help="segments per acknowledgement")
    parser.add_argument("--no-hystart", action="store_true")
    return parser.parse_args()


def configure(given: argparse.Namespace) -> None:
    """TCP as the trial has it."""

    def default(name, value):
        ns.Config.SetDefault(f"ns3::{name}", value)

    default("TcpL4Protocol::SocketType", ns.StringValue(f"ns3::{given.congestion}"))
    default("TcpSocket::SegmentSize", ns.UintegerValue(1448))
    default("TcpSocket::SndBufSize", ns.UintegerValue(262144 + 10_000_000 // given.flows))
    default("TcpSocket::RcvBufSize", ns.UintegerValue(262144 + 10_000_000 // given.flows))
    default("TcpSocket::InitialCwnd", ns.UintegerValue(10))
    default("TcpSocket::DelAckCount", ns.UintegerValue(given.ack_every))
    default("TcpSocket::DelAckTimeout", ns.StringValue("40ms"))
    default("TcpSocketBase::MinRto", ns.StringValue("200ms"))
    default("TcpSocketBase::Sack", ns.BooleanValue(True))
    default("TcpSocketBase::Timestamp", ns.BooleanValue(True))
    default("TcpSocketBase::WindowScaling", ns.BooleanValue(True))
    if given.no_hystart:
        default("TcpCubic::HyStart", ns.BooleanValue(False))
    default("DropTailQueue<Packet>::MaxSize", ns.QueueSizeValue(ns.QueueSize(f"{given.queue}p")))


def build(given: argparse.Namespace) -> list:
    """Nodes, links, services; returns the devices of every link."""
    flows = given.flows
    routers, left, right = ns.NodeContainer(), ns.NodeContainer(), ns.NodeContainer()
    routers.Create(2)
    left.Create(flows)
    right.Create(flows)
    access, bottleneck = ns.PointToPointHelper(), ns.PointToPointHelper()
    access.SetDeviceAttribute("DataRate", ns.StringValue("10Gbps"))
    access.SetChannelAttribute("Delay", ns.StringValue("10us"))
    bottleneck.SetDeviceAttribute("DataRate", ns.StringValue(f"{given.mbit}Mbps"))
    bottleneck.SetChannelAttribute("Delay", ns.StringValue("10ms"))
    stack = ns.InternetStackHelper()
    stack.InstallAll()
    control, address, devices = ns.TrafficControlHelper(), ns.Ipv4AddressHelper(), []

    def link(helper, a, b, network):
        pair = helper.Install(a, b)
        address.SetBase(ns.Ipv4Address(network), ns.Ipv4Mask("255.255.255.252"))
        interfaces = address.Assign(pair)
        control.Uninstall(pair)
        devices.append(pair)
        return interfaces

    link(bottleneck, routers.Get(0), routers.Get(1), "10.0.0.0")
    for i in range(flows):
        link(access, left.Get(i), routers.Get(0), f"10.1.{i // 60}.{(i % 60) * 4}")
        far = link(access, routers.Get(1), right.Get(i), f"10.2.{i // 60}.{(i % 60) * 4}")
        listen = ns.InetSocketAddress(ns.Ipv4Address.GetAny(), 9).ConvertTo()
        sink = ns.PacketSinkHelper("ns3::TcpSocketFactory", listen).Install(right.Get(i))
        ns.cppyy.gbl.netarium.Sink(sink.Get(0))
        to = ns.InetSocketAddress(far.GetAddress(1), 9).ConvertTo()
        bulk = ns.BulkSendHelper("ns3::TcpSocketFactory", to)
        bulk.SetAttribute("MaxBytes", ns.UintegerValue(0))
        bulk.SetAttribute("SendSize", ns.UintegerValue(14480))
        bulk.Install(left.Get(i)).Start(ns.Seconds(0.001 * i / flows))
    ns.Ipv4GlobalRoutingHelper.PopulateRoutingTables()
    ns.cppyy.gbl.netarium.Attach(devices[0].Get(0), given.warm)
    return devices


def main() -> None:
    given = arguments()
    ns.cppyy.cppdef(WATCH)
    configure(given)
    devices = build(given)
    ns.Simulator.Stop(ns.Seconds(given.seconds))
    cpu, wall = time.process_time(), time.perf_counter()
    ns.Simulator.Run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    watch = ns.cppyy.gbl.netarium.watch
    watch.End()
    hops = sum(
        int(pair.Get(end).__deref__().GetQueue().GetTotalReceivedPackets()) - held(pair, end)
        for pair in devices for end in (0, 1)
    )  # fmt: skip
    measured_s = given.seconds - given.warm
    document = {
        "peer": "ns-3", "flows": given.flows, "virtual_s": given.seconds, "warm_s": given.warm,
        "congestion": given.congestion, "mbit": given.mbit, "queue_packets": given.queue, "hystart": not given.no_hystart,
        "cpu_s": cpu, "wall_s": wall, "packet_hops": hops, "packet_hops_per_s": hops / cpu,
        "goodput_bps": (watch.Received() - watch.received_before) * 8 / measured_s,
        "drops": int(watch.drops - watch.drops_before), "queue_packets_mean": watch.area / measured_s,
    }  # fmt: skip
    sys.stdout.write(json.dumps(document) + "\n")


def held(pair, end) -> int:
    """Packets that still wait at a device."""
    return int(pair.Get(end).__deref__().GetQueue().GetNPackets())


if __name__ == "__main__":
    main()
