"""up, exec, ps, down as a user types them: a network that stays up, shells in it, and nothing left of it."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from realhosts import only_with_program, only_with_real_hosts

from netarium.errors import MachineCannot
from netarium.operate import networks, privilege
from netarium.run.emulate import ownership

MAIN = [sys.executable, "-c", "from netarium.operate.cli import main; main()"]
LIMIT_S = 240  # the engine may have to be compiled, on a machine with other work
TRIAL = """\
trial: two
duration: 20 s
mode: emulate
network:
  nodes: {h1: {kind: host, real: true}, r: {}, h2: {kind: host, real: true}}
  links:
    - {endpoints: [h1, r], rate: 1 Gbit/s, delay: 1 ms}
    - {endpoints: [r, h2], rate: 50 Mbit/s, delay: 9 ms}
services:
  sleeper: {kind: command, node: h2, argv: [sleep, "1000"], exit_code: any}
"""
Netarium = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def netarium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Netarium]:
    """The command, with a runtime folder of the test's own; at the end everything is taken down."""
    monkeypatch.setenv("NETARIUM_RUNTIME", str(tmp_path / "runtime"))
    (tmp_path / "two.trial.yml").write_text(TRIAL)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MAIN, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
        )

    yield run
    run("down", "--all")
    assert ownership.runs() == []


@only_with_real_hosts
def test_a_network_stays_up_until_it_is_taken_down(netarium: Netarium) -> None:
    up = netarium("up", "two.trial.yml", "--detach")
    assert up.returncode == 0, up.stderr
    assert "two is up: 2 real hosts" in up.stderr
    listed = json.loads(netarium("ps", "--json").stdout)["networks"]
    assert [(one["network"], one["trial"], one["command"]) for one in listed] == [("two", "two", "up")]
    assert [node["node"] for node in listed[0]["nodes"]] == ["h1", "h2"]
    assert [(one["program"], one["status"]) for one in listed[0]["programs"]] == [("sleeper", "running")]
    pid = listed[0]["programs"][0]["pid"]
    assert Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x001000\x00"
    assert "sleep 1000" in netarium("ps", "two").stdout
    pinged = netarium("exec", "h1", "--", "ping", "-c", "3", "-i", "0.1", "h2")
    assert pinged.returncode == 0, pinged.stdout + pinged.stderr
    assert 20 <= float(pinged.stdout.rpartition("= ")[2].split("/")[0]) < 60
    assert netarium("exec", "two", "h1", "--", "sh", "-c", "exit 7").returncode == 7
    again = netarium("up", "two.trial.yml")
    assert again.returncode == 4
    assert "a network 'two' is up already" in again.stderr
    for words, said in (
        (("exec", "h3", "--", "true"), "found node 'h3', expected a real host: one of h1, h2"),
        (("exec", "h1", "--", "no-such-program"), "no program 'no-such-program'"),
        (("exec", "tow", "h1", "--", "true"), "found network 'tow', expected 'two'; did you mean 'two'?"),
        (("down", "other"), "found network 'other', expected 'two'"),
    ):
        refused = netarium(*words)
        assert (refused.returncode, said in refused.stderr) == (4, True), refused.stderr
    assert netarium("down").returncode == 0
    assert not Path(f"/proc/{pid}").exists()
    assert "No network is up" in netarium("ps").stdout


@pytest.mark.slow
@only_with_real_hosts
def test_a_shell_on_a_node_ends_with_the_network(netarium: Netarium, tmp_path: Path) -> None:
    assert netarium("up", "two.trial.yml", "-d", "--name", "mine").returncode == 0
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which is ignored where the tests run in the background
        os.execv(MAIN[0], [*MAIN, "exec", "h1"])
    assert b"h1:" in read_until(terminal, b"h1:")
    os.write(terminal, b"hostname; sleep 1000\n")
    assert b"\rh1\r\n" in read_until(terminal, b"\rh1\r\n")
    (entered,) = json.loads(netarium("ps", "mine", "--json").stdout)["networks"][0]["entered"]
    assert (entered["node"], entered["status"]) == ("h1", "running")
    os.write(terminal, b"\x03")
    assert b"h1:" in read_until(terminal, b"h1:")
    assert netarium("down", "mine").returncode == 0
    assert os.waitpid(pid, 0)[1] != 0
    os.close(terminal)


def read_until(terminal: int, text: bytes) -> bytes:
    read = b""
    until = time.monotonic() + 30
    while text not in read and time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            read += os.read(terminal, 4096)
    return read


@pytest.mark.slow
@only_with_real_hosts
def test_a_network_that_was_killed_leaves_nothing(netarium: Netarium) -> None:
    assert netarium("up", "two.trial.yml", "-d").returncode == 0
    (one,) = json.loads(netarium("ps", "--json").stdout)["networks"]
    os.kill(one["pid"], signal.SIGKILL)
    down = netarium("down")
    assert (down.returncode, down.stderr) == (0, "two was dead; what it left is gone\n")
    assert not Path(f"/proc/{one['programs'][0]['pid']}").exists()
    assert not list(Path("/tmp").glob(f"netarium-{one['network']}*"))


@pytest.mark.slow
@only_with_real_hosts
def test_a_detached_network_that_does_not_come_up_says_why(netarium: Netarium, tmp_path: Path) -> None:
    broken = TRIAL.replace("[sleep, ", "[no-such-program, ")
    (tmp_path / "broken.trial.yml").write_text(broken.replace("trial: two", "trial: broken"))
    up = netarium("up", "broken.trial.yml", "--detach")
    assert up.returncode == 4
    assert "services.sleeper.argv[0]: this machine has no program 'no-such-program'" in up.stderr
    assert "No network is up" in netarium("ps").stdout
    wrong = netarium("up", "nothing.trial.yml", "--detach")
    assert wrong.returncode == 2
    assert "neither a file nor a bundled trial" in wrong.stderr


@pytest.mark.slow
@only_with_real_hosts
@only_with_program("setpriv")
def test_without_any_right_in_a_user_namespace(netarium: Netarium, tmp_path: Path) -> None:
    """All capabilities are given up but the one to be root in a user namespace; the TAP device is open to the user id."""
    if any("TAP" not in lack and "tun" not in lack for lack in privilege.rootless_lacks()):
        pytest.skip(f"no user namespaces on this machine: {privilege.rootless_lacks()}")
    powerless = ["setpriv", "--bounding-set=-all,+setfcap", "--inh-caps=-all", *MAIN]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*powerless, *words], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    up = run("up", "two.trial.yml", "--detach")
    assert up.returncode == 0, up.stderr
    pinged = run("exec", "h1", "--", "ping", "-c", "2", "-i", "0.2", "h2")
    assert pinged.returncode == 0, pinged.stdout + pinged.stderr
    assert run("down").returncode == 0


def test_a_run_is_taken_down_only_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who tidies up must not end somebody's measurement by leaving a name out."""
    from types import SimpleNamespace

    def network(name: str, command: str) -> SimpleNamespace:
        return SimpleNamespace(facts={"network": name, "command": command}, token=name)

    run, lab, other = network("calm-heron", "run"), network("lab", "up"), network("other", "up")
    monkeypatch.setattr(networks, "alive", lambda: [run])
    assert networks.find(None) is run
    with pytest.raises(MachineCannot, match="being run, calm-heron; name it to end the run"):
        networks.find(None, among_runs=False)
    assert networks.find("calm-heron", among_runs=False) is run
    monkeypatch.setattr(networks, "alive", lambda: [run, lab])
    assert networks.find(None, among_runs=False) is lab
    assert networks.kept_up() == [lab]
    monkeypatch.setattr(networks, "alive", lambda: [run, lab, other])
    with pytest.raises(MachineCannot, match="2 networks are up: lab, other; name one"):
        networks.find(None, among_runs=False)


def test_words_of_exec(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    monkeypatch.setattr(networks, "alive", lambda: [SimpleNamespace(facts={"network": "lab"})])
    for typed, meant in (
        ("h1", (None, "h1", [])),
        ("lab h1", ("lab", "h1", [])),
        ("h1 -- ls -l", (None, "h1", ["ls", "-l"])),
        ("lab h1 -- ls", ("lab", "h1", ["ls"])),
        ("other h1 -- ls", ("other", "h1", ["ls"])),
        ("h1 ping h2", (None, "h1", ["ping", "h2"])),
        ("h1 -- sh -- x", (None, "h1", ["sh", "--", "x"])),
    ):
        assert networks.split_words(typed.split()) == meant
    with pytest.raises(MachineCannot, match="no node"):
        networks.split_words(["--", "ls"])
