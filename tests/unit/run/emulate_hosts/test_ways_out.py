"""Ways out: NAT, tunnels and interfaces reach what exists beside the trial, and leave the machine as it was.

Each test is on a machine of its own: a network namespace with a bridge for the world outside.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import small_network
from realhosts import only_with_program

from netarium.compile.hosts import Emulation, RealHost, Route, WayOut
from netarium.errors import MachineCannot
from netarium.run.emulate import netns, ownership, tap
from netarium.run.emulate.facility import Facility

HERE = Path(__file__).parent
OUTSIDE = "192.0.2.1"


def sh(*words: str) -> str:
    ran = subprocess.run(words, capture_output=True, text=True)
    assert ran.returncode == 0, (words, ran.stderr)
    return ran.stdout


@pytest.fixture
def machine() -> Iterator[int]:
    """The test's thread is in a namespace that stands for the machine; it has the address 192.0.2.1."""
    with netns.in_new() as fd:
        sh("ip", "link", "set", "lo", "up")
        sh("ip", "link", "add", "world", "type", "bridge")
        sh("ip", "address", "add", f"{OUTSIDE}/24", "dev", "world")
        sh("ip", "link", "set", "world", "up")
        yield fd
    os.close(fd)


def with_way(way: WayOut, network: int = 10) -> Emulation:
    """h1, and beside it the external node h2, which is h1's default gateway; in 10.0.0.0/24 or another network."""
    first, second = f"{network}.0.0.1", f"{network}.0.0.2"
    one, two = small_network.host(1, (2,)), small_network.host(2, (1,))
    one, two = _in_network(one, network), _in_network(two, network)
    one = dataclasses.replace(one, routes=(Route("default", second, "eth0"),))
    two = dataclasses.replace(two, routes=(), forwards=True, way_out=way)
    return Emulation((one, two), {"h1": (first,), "h2": (second,)})


def _in_network(host: RealHost, network: int) -> RealHost:
    (interface,) = host.interfaces
    mine = f"{network}.0.0.{host.node_index}/24"
    near = [
        dataclasses.replace(n, address=n.address.replace("10.", f"{network}.", 1)) for n in host.neighbours
    ]
    return dataclasses.replace(
        host,
        interfaces=(dataclasses.replace(interface, addresses=(mine,)),),
        neighbours=tuple(n for n in near if ":" not in n.address),
    )


@contextmanager
def facility(emulation: Emulation, tmp_path: Path, name: str = "net") -> Iterator[Facility]:
    with (
        Facility(name, emulation, tap.open_tap, folder=tmp_path / "programs") as made,
        small_network.Forwarder(made.hosts.attached),
    ):
        yield made


def refused(emulation: Emulation, tmp_path: Path, match: str) -> None:
    with pytest.raises(MachineCannot, match=match), facility(emulation, tmp_path, "refused"):
        pass


def run_on(made: Facility, node: str, *argv: str) -> subprocess.CompletedProcess[str]:
    host = made.hosts.emulation.host(node)
    with netns.entered(made.hosts.netns_fds[node]):
        return subprocess.run(
            made.sandbox.argv(host, argv), env=made.sandbox.environment(host), capture_output=True, text=True
        )


def ping(made: Facility, address: str) -> bool:
    return run_on(made, "h1", "ping", "-c", "2", "-i", "0.1", "-W", "1", address).returncode == 0


def links() -> str:
    return "\n".join(line.split(":")[1] for line in sh("ip", "-o", "link").splitlines())


@only_with_program("nft")
def test_nat_goes_out_and_not_in_and_is_gone_afterwards(machine, tmp_path):
    before = links(), sh("nft", "list", "ruleset"), Path("/proc/sys/net/ipv4/ip_forward").read_text()
    with netns.in_new() as far:  # beyond the machine: knows 192.0.2.0/24 and nothing of the trial
        sh("ip", "link", "add", "wan", "type", "veth", "peer", "name", "lan")
        index = sh("ip", "-o", "link", "show", "lan").split(":")[0]
        with connect_in(far) as sock:
            move(sock, int(index), machine)
        sh("ip", "address", "add", "198.51.100.9/24", "dev", "wan")
        sh("ip", "link", "set", "wan", "up")
    sh("ip", "address", "add", "198.51.100.1/24", "dev", "lan")
    sh("ip", "link", "set", "lan", "up")
    before = (links(), *before[1:])
    with facility(with_way(WayOut("nat")), tmp_path) as made:
        assert ping(made, OUTSIDE)
        assert ping(made, "198.51.100.9")  # which has no route to 10.0.0.0/24: it saw the machine's address
        assert Path("/proc/sys/net/ipv4/ip_forward").read_text() == "1\n"
        with netns.entered(far):
            assert subprocess.run(["ping", "-c1", "-W1", "10.0.0.1"], capture_output=True).returncode != 0
    assert (
        links(),
        sh("nft", "list", "ruleset"),
        Path("/proc/sys/net/ipv4/ip_forward").read_text(),
    ) == before
    os.close(far)  # its end of the pair goes with it, and soon after the one here


def connect_in(fd: int):
    from netarium.run.emulate import netlink

    with netns.entered(fd):
        return netlink.connect()


def move(sock, index: int, fd: int) -> None:
    from netarium.run.emulate import moved

    moved._move(sock, index, fd, "lan")


@only_with_program("nft")
def test_two_nats_share_the_machines_forwarding(machine, tmp_path):
    forward = Path("/proc/sys/net/ipv4/ip_forward")
    assert forward.read_text() == "0\n"
    with ExitStack() as first:
        with facility(with_way(WayOut("nat")), tmp_path, "one"):
            made = first.enter_context(facility(with_way(WayOut("nat")), tmp_path, "two"))
        assert forward.read_text() == "1\n"
        assert ping(made, OUTSIDE)
    assert forward.read_text() == "0\n"


def test_without_a_way_out_the_machine_is_not_reachable(machine, tmp_path):
    emulation = with_way(WayOut("nat"))
    closed = dataclasses.replace(emulation.hosts[1], way_out=None)
    with facility(dataclasses.replace(emulation, hosts=(emulation.hosts[0], closed)), tmp_path) as made:
        assert ping(made, "10.0.0.2")
        assert not ping(made, OUTSIDE)


@only_with_program("nft")
def test_two_facilities_federate_through_a_tunnel(tmp_path, monkeypatch):
    """Two machines, joined by a cable, each with a trial: a host of one reaches a host of the other, and no further."""
    with ExitStack() as stack:
        there = stack.enter_context(netns.in_new())
        sh("ip", "link", "add", "cable", "type", "veth", "peer", "name", "far")
        sh("ip", "address", "add", "192.0.2.20/24", "dev", "cable")
        sh("ip", "link", "set", "cable", "up")
        index = sh("ip", "-o", "link", "show", "far").split(":")[0]
        here = stack.enter_context(netns.in_new())
        move(connect_in(there), int(index), here)
        sh("ip", "address", "add", "192.0.2.10/24", "dev", "lan")
        sh("ip", "link", "set", "lan", "up")
        a = with_way(WayOut("vxlan", vni=77, remote="192.0.2.20", port=4789), 10)
        b = with_way(WayOut("vxlan", vni=77, remote="192.0.2.10", port=4789), 11)
        one = stack.enter_context(facility(a, tmp_path, "one"))
        with netns.entered(there):
            two = stack.enter_context(facility(b, tmp_path, "two"))
        assert ping(one, "11.0.0.1")
        assert ping(two, "10.0.0.1")
        assert run_on(one, "h1", "ping", "-c1", "-W2", "-s", "1472", "-M", "do", "11.0.0.1").returncode == 0
        assert not ping(one, "12.0.0.1")
        refused(a, tmp_path, r"network\.nodes\.h2\.attach\.vxlan: .*vni 77 on port 4789")
    os.close(here)
    os.close(there)


def test_an_interface_moves_in_and_comes_back_as_it_was(machine, tmp_path):
    with outside_station(machine) as before:
        with facility(with_way(WayOut("interface", interface="lan")), tmp_path) as made:
            assert "lan" not in links()
            assert ping(made, "203.0.113.9")
        assert described() == before


def test_an_interface_comes_back_after_a_kill(machine, tmp_path, runtime):
    with outside_station(machine) as before:
        code = f"""
import sys; sys.path[:0] = {[str(HERE), str(HERE.parents[2])]!r}
import test_ways_out as t, time, pathlib
with t.Facility("net", t.with_way(t.WayOut("interface", interface="lan")), t.tap.open_tap):
    print("up", flush=True)
    time.sleep(60)
"""
        holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert holder.stdout.readline() == b"up\n"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        time.sleep(0.2)
        assert "lan" not in links()
        assert len(ownership.reap()) == 1
        assert described() == before
        assert str(runtime) not in Path("/proc/self/mounts").read_text()


@contextmanager
def outside_station(machine: int) -> Iterator[str]:
    """A cable `lan` of the machine to a station 203.0.113.9, which knows the way to 10.0.0.0/24; how the machine sees it."""
    with netns.in_new() as far:
        sh("ip", "link", "add", "wan", "type", "veth", "peer", "name", "peer")
        index = int(sh("ip", "-o", "link", "show", "peer").split(":")[0])
        move(connect_in(far), index, machine)
        sh("ip", "address", "add", "203.0.113.9/24", "dev", "wan")
        sh("ip", "link", "set", "wan", "up")
        sh("ip", "route", "add", "10.0.0.0/24", "via", "203.0.113.1")
    sh("ip", "address", "add", "203.0.113.1/24", "dev", "lan")
    sh("ip", "link", "set", "lan", "up")
    sh("ip", "route", "add", "198.18.5.0/24", "via", "203.0.113.9")
    try:
        yield described()
    finally:
        os.close(far)


def described() -> str:
    """Address and routes of `lan`, without what changes with time."""
    return sh("ip", "-br", "-4", "address", "show", "lan") + sh("ip", "-4", "route", "show", "dev", "lan")


def test_an_interface_that_the_machine_needs_is_not_taken(machine, tmp_path):
    sh("ip", "route", "add", "default", "via", "192.0.2.254")
    way = with_way(WayOut("interface", interface="world"))
    refused(way, tmp_path, "attach.interface: world has this machine's default route")
    assert "world" in links()


def test_an_interface_that_is_not_there(machine, tmp_path):
    way = with_way(WayOut("interface", interface="eth9"))
    refused(way, tmp_path, r"network\.nodes\.h2\.attach\.interface: .*no interface 'eth9'")


def test_only_what_is_written_down_is_taken_back(machine, tmp_path, runtime):
    """Things beside it with names of the same kind stay."""
    sh("ip", "link", "add", "nt00000000x", "type", "bridge")
    sh("ip", "link", "add", "ntdeadbeef1", "type", "bridge")
    code = """
import os, signal
from netarium.run.emulate import ownership, ways_out
own = ownership.take(network="x")
own.owns("link", name="ntdeadbeef1")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code])
    assert len(ownership.reap()) == 1
    assert "ntdeadbeef1" not in links()
    assert "nt00000000x" in links()
