"""What tests of real hosts share: they run where this machine can have any, and leave it as it was."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import small_network
from realhosts import only_with_real_hosts

from netarium.compile.hosts import Emulation, Program
from netarium.run.emulate import tap
from netarium.run.emulate.hosts import Hosts, raise_hosts
from netarium.run.emulate.processes import Supervisor
from netarium.run.emulate.sandbox import Sandbox


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(only_with_real_hosts)


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of the test's own, so that tests beside each other do not see each other's runs."""
    folder = tmp_path / "runtime"
    monkeypatch.setenv("NETARIUM_RUNTIME", str(folder))
    return folder


@pytest.fixture
def up() -> Iterator[Callable[[Emulation], Hosts]]:
    """Raises hosts, and takes them down after the test."""
    raised: list[Hosts] = []

    def raise_them(emulation: Emulation) -> Hosts:
        raised.append(raise_hosts(emulation, tap.open_tap))
        return raised[-1]

    yield raise_them
    for hosts in raised:
        hosts.down()


@pytest.fixture
def inside(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program on a host, in its sandbox, and waits for it."""
    from netarium.run.emulate import netns

    def run(hosts: Hosts, node: str, *argv: str) -> subprocess.CompletedProcess[str]:
        box = Sandbox(tmp_path / "scratch", hosts.emulation)
        box.prepare()
        host = hosts.emulation.host(node)
        with netns.entered(hosts.netns_fds[node]):
            return subprocess.run(
                box.argv(host, argv),
                env=box.environment(host),
                capture_output=True,
                text=True,
                timeout=30,
            )

    return run


@pytest.fixture
def supervise(up, tmp_path):
    """A supervisor of programs on a hub of two hosts."""

    def make(*programs: Program, **more: object) -> Supervisor:
        hosts = up(small_network.hub(2, programs, **more))
        box = Sandbox(tmp_path / "scratch", hosts.emulation, mark="a mark")
        box.prepare()
        by_node = {host.node: host for host in hosts.emulation.hosts}
        return Supervisor(programs, by_node, hosts.netns_fds, box, tmp_path / "programs")

    return make
