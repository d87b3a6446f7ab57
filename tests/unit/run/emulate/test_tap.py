"""TAP devices in network namespaces: what is asked for is there, and goes with its descriptor."""

from __future__ import annotations

import os
import subprocess

import pytest

from netarium.errors import MachineCannot
from netarium.run.emulate.tap import inside, open_tap, refused_frames

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists("/dev/net/tun"),
    reason="network namespaces and TAP devices need root",
)


@pytest.fixture
def netns():
    """A network namespace of its own, held by a sleeping process."""
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo up; exec sleep 60"], stdout=subprocess.PIPE
    )
    holder.stdout.readline()
    fd = os.open(f"/proc/{holder.pid}/ns/net", os.O_RDONLY)
    yield fd
    os.close(fd)
    holder.kill()
    holder.wait()
    holder.stdout.close()


def attribute(netns, name: str, what: str) -> str:
    shown = inside(
        netns, lambda: subprocess.run(["ip", "-o", "link", "show", name], capture_output=True, text=True)
    )
    words = shown.stdout.split()
    return words[words.index(what) + 1] if what in words else ""


@pytest.mark.parametrize("offload", [False, True])
def test_device_has_what_was_asked(netns, offload: bool) -> None:
    fd = open_tap(netns, "to-router", "02:00:00:00:00:07", 1400, offload)
    try:
        assert attribute(netns, "to-router", "link/ether") == "02:00:00:00:00:07"
        assert attribute(netns, "to-router", "mtu") == "1400"
        assert not os.get_blocking(fd)
        assert refused_frames(netns, "to-router") == 0
    finally:
        os.close(fd)
    assert attribute(netns, "to-router", "mtu") == ""


def test_name_used_twice(netns) -> None:
    fd = open_tap(netns, "eth0", "02:00:00:00:00:07", 1500, False)
    try:
        with pytest.raises(MachineCannot, match="eth0.*an interface of this name exists"):
            open_tap(netns, "eth0", "02:00:00:00:00:08", 1500, False)
    finally:
        os.close(fd)


def test_name_too_long(netns) -> None:
    with pytest.raises(MachineCannot, match="1 to 15 bytes"):
        open_tap(netns, "a-name-of-sixteen", "02:00:00:00:00:07", 1500, False)


def test_too_few_descriptors(netns) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        with pytest.raises(MachineCannot, match="ulimit -n"):
            open_tap(None, "eth0", "02:00:00:00:00:07", 1500, False)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_not_a_namespace() -> None:
    fd = os.open("/dev/null", os.O_RDONLY)
    try:
        with pytest.raises(MachineCannot, match="cannot enter a host's network namespace"):
            open_tap(fd, "eth0", "02:00:00:00:00:07", 1500, False)
    finally:
        os.close(fd)
