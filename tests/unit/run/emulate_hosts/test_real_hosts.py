"""Real hosts: made with everything the plan says, gone when told and when killed, refused with a reason."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small_network

from netarium.compile.hosts import Emulation
from netarium.errors import MachineCannot
from netarium.run.emulate import needs, netns, ownership
from netarium.run.emulate.hosts import raise_hosts
from netarium.run.emulate.readiness import children

HERE = Path(__file__).parent


def ip(hosts, node, *words):
    """What `ip -json` says in a host's namespace."""
    with netns.entered(hosts.netns_fds[node]):
        ran = subprocess.run(["ip", "-json", *words], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_a_host_has_what_the_plan_says(up):
    hosts = up(small_network.hub(3))
    links = {link["ifname"]: link for link in ip(hosts, "h2", "addr")}
    assert set(links) == {"lo", "eth0"}
    assert "UP" in links["lo"]["flags"]
    eth0 = links["eth0"]
    assert (eth0["address"], eth0["mtu"]) == (small_network.mac(2), 1500)
    found = {f"{one['local']}/{one['prefixlen']}" for one in eth0["addr_info"] if one["scope"] == "global"}
    assert found == {"10.0.0.2/8", "fd00::2/64"}
    assert not [one for one in eth0["addr_info"] if one.get("tentative")]
    routes = {(route["dst"], route.get("gateway")) for route in ip(hosts, "h2", "route")}
    assert {("203.0.113.0/24", "10.0.0.1"), ("default", None)} <= routes
    assert any(route["dst"] == "default" for route in ip(hosts, "h2", "-6", "route"))
    neighbours = {(n["dst"], n["lladdr"], *n["state"]) for n in ip(hosts, "h2", "neigh")}
    assert ("10.0.0.1", small_network.mac(1), "PERMANENT") in neighbours
    assert ("fd00::1", small_network.mac(1), "PERMANENT") in neighbours


def link_local_addresses(hosts, node):
    """Link-local addresses of a host's interface, and which of them are not valid yet."""
    (eth0,) = (link for link in ip(hosts, node, "addr") if link["ifname"] == "eth0")
    every = [one for one in eth0["addr_info"] if one["family"] == "inet6" and one["scope"] == "link"]
    return [one["local"] for one in every], [one["local"] for one in every if one.get("tentative")]


def test_link_local_addresses_where_they_are_wanted(up, inside):
    assert link_local_addresses(up(small_network.hub(1)), "h1") == ([], [])
    hosts = up(small_network.hub(2, link_local=True))
    assert link_local_addresses(hosts, "h2") == (["fe80::ff:fe00:2"], [])
    ran = inside(hosts, "h2", "ping", "-c", "1", "fe80::ff:fe00:2%eth0")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_routers_forward_and_hosts_do_not(up):
    hosts = up(Emulation((small_network.host(1, forwards=True), small_network.host(2)), {}))
    for node, wanted in (("h1", "1"), ("h2", "0")):
        with netns.entered(hosts.netns_fds[node]):
            assert Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() == wanted
            assert Path("/proc/sys/net/ipv6/conf/eth0/forwarding").read_text().strip() == wanted


@pytest.mark.parametrize("version", [4, 6])
def test_two_hosts_reach_each_other_and_nothing_floods(up, inside, version):
    hosts = up(small_network.hub(3))
    with small_network.Forwarder(hosts.attached):
        ran = inside(hosts, "h1", "ping", "-c", "3", "-i", "0.05", small_network.address(2, version))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 received" in ran.stdout


def test_nothing_outside_is_reachable(up, inside):
    hosts = up(small_network.hub(1))
    ran = inside(hosts, "h1", sys.executable, "-c", "import socket; print(socket.if_nameindex())")
    assert eval(ran.stdout) == [(1, "lo"), (2, "eth0")]


def test_hundreds_of_hosts_in_seconds(up):
    began = time.monotonic()
    hosts = up(small_network.hub(300))
    assert len(hosts.netns_fds) == len(set(hosts.fds)) == 300
    hosts.down()
    assert time.monotonic() - began < 30
    assert hosts.netns_fds == {} and hosts.fds == []


def test_every_host_has_a_namespace_of_its_own(up):
    hosts = up(small_network.hub(20))
    inodes = {os.fstat(fd).st_ino for fd in hosts.netns_fds.values()}
    assert len(inodes) == 20
    assert os.stat("/proc/self/ns/net").st_ino not in inodes


def test_the_calling_thread_stays_where_it_was(up):
    before = os.stat("/proc/thread-self/ns/net").st_ino
    up(small_network.hub(5))
    assert os.stat("/proc/thread-self/ns/net").st_ino == before


def test_what_cannot_be_configured_is_said_with_its_place(up):
    wrong = dataclasses.replace(
        small_network.host(2), routes=(small_network.Route("default", "10.0.0.2", "eth0"),)
    )
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(MachineCannot, match=r"network\.nodes\.h2: cannot route default via 10\.0\.0\.2"):
        up(Emulation((small_network.host(1), wrong), {}))
    assert len(os.listdir("/proc/self/fd")) == before


def test_too_few_open_files_are_found_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    emulation = Emulation(tuple(small_network.host(n) for n in range(1, 5001)), {})
    with pytest.raises(
        MachineCannot, match="5000 real hosts need 10128 open files, and this machine allows 1024"
    ):
        raise_hosts(emulation, None)


def test_the_soft_limit_is_raised_as_far_as_needed():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        needs.raise_fd_limit(1000, "hosts")
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (1000, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_killed_at_any_moment_nothing_is_left(delay_s, runtime):
    """The holder of 100 hosts with a program on each of three is killed; every process of its is gone after `reap`."""
    holder = subprocess.Popen(
        [sys.executable, str(HERE / "hosts_holder.py"), "100"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    holder.stdout.readline()
    time.sleep(delay_s * random.Random(delay_s).uniform(0.5, 1.5))
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    reaped = ownership.reap()
    assert len(reaped) <= 1  # none if it was killed before it wrote that it is there
    assert mentioning(str(runtime)) == []
    assert not runtime.exists() or list(runtime.iterdir()) == []
    assert ownership.reap() == []


def test_killed_together_with_its_guardian_nothing_is_left(runtime):
    holder = subprocess.Popen(
        [sys.executable, str(HERE / "hosts_holder.py"), "40"], stdout=subprocess.PIPE, start_new_session=True
    )
    assert [holder.stdout.readline(), holder.stdout.readline()] == [b"starting\n", b"up\n"]
    for pid in (*children(holder.pid), holder.pid):
        if b"guardian" in Path(f"/proc/{pid}/cmdline").read_bytes() or pid == holder.pid:
            os.kill(pid, signal.SIGKILL)
    holder.wait()
    assert len(ownership.reap()) == 1
    assert mentioning(str(runtime)) == []
    assert list(runtime.iterdir()) == []


def test_a_name_is_taken_once(runtime):
    first = ownership.take(network="lab", alone=True)
    with pytest.raises(MachineCannot, match="a network 'lab' is up already"):
        ownership.take(network="lab", alone=True)
    first.release()
    ownership.take(network="lab", alone=True).release()


def test_a_live_run_is_left_alone_and_a_number_used_again_is_not_it(runtime):
    """Alive is: the same process number, started at the same time, since the same boot."""
    run = ownership.take(network="lab")
    assert ownership.reap() == []
    (path,) = runtime.glob("*/owner.json")
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"start_ticks": told["start_ticks"] - 1}))
    os.close(run.lock_fd)  # as the kernel does when a process ends
    assert [one.token for one in ownership.reap()] == [run.token]
    assert list(runtime.iterdir()) == []


def test_after_a_restart_only_files_are_taken_back(runtime, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run = ownership.take(network="lab")
    run.owns("folder", path=str(scratch))
    monkeypatch.setitem(ownership.UNDO, "link", lambda _: pytest.fail("there is no such link any more"))
    run.owns("link", name="nt0")
    monkeypatch.setattr(ownership, "boot_id", lambda: "another")
    assert len(ownership.reap()) == 1
    assert not scratch.exists()
    assert list(runtime.iterdir()) == []


def test_what_was_left_in_another_network_is_left_to_commands_there(runtime, monkeypatch):
    """A setting of the one must not be put back in the other."""
    undone = []
    monkeypatch.setitem(ownership.UNDO, "setting", undone.append)
    with netns.in_new() as there:
        run = ownership.take(network="lab")
        run.owns("setting", key="net/ipv4/ip_forward", before="0")
    (path,) = runtime.glob("*/owner.json")
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"start_ticks": told["start_ticks"] - 1}))
    os.close(run.lock_fd)
    assert ownership.reap() == [] and undone == []
    with netns.entered(there):
        assert len(ownership.reap()) == 1
    assert [thing["before"] for thing in undone] == ["0"]
    os.close(there)


def mentioning(text: str) -> list[str]:
    """Processes that have a text in their environment: all that a holder has started, directly or not."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if text in environment and folder.name != str(os.getpid()):
            found.append((folder / "cmdline").read_bytes().decode())
    return found
