"""Programs on real hosts: order, readiness, limits, stopping, isolation; whatever they do, their whole tree ends."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

from netarium.compile.hosts import NEVER_PS, Program, Ready
from netarium.errors import MachineCannot
from netarium.run.emulate import output, processes, sandbox
from netarium.run.emulate.overseer import Supervising
from netarium.run.emulate.processes import Supervisor
from netarium.units import SECOND_PS

WITHIN = 5 * SECOND_PS


def clock_ps(began: float) -> int:
    return int((time.monotonic() - began) * SECOND_PS)


def run_until(supervisor: Supervisor, done=None, limit_s: float = 15.0) -> dict:
    """Polls by the wall clock until nothing runs, or `done()`; the outcomes by name."""
    began = time.monotonic()
    try:
        while not (done() if done else supervisor.idle):
            assert time.monotonic() - began < limit_s, supervisor.outcomes
            supervisor.poll(clock_ps(began))
            supervisor.wait(0.01)
    finally:
        supervisor.kill(clock_ps(began))
    return supervisor.outcomes


def program(name: str, *argv: str, node: str = "h1", **more: object) -> Program:
    return Program(name, 0, node, argv, **more)  # type: ignore[arg-type]


def python(name: str, code: str, **more: object) -> Program:
    return program(name, sys.executable, "-c", code, **more)


def test_output_exit_code_and_times_are_kept(supervise):
    code = (
        "import os, sys; print('to out', os.environ['WORD']); print('to err', file=sys.stderr); sys.exit(3)"
    )
    (one,) = run_until(supervise(python("a", code, env=(("WORD", "here"),), exit_code=3))).values()
    assert (one.status, one.exit_code, one.signal) == ("done", 3, None)
    assert (one.folder / "stdout").read_text() == "to out here\n"
    assert (one.folder / "stderr").read_text() == "to err\n"
    assert 0 <= one.started_ps == one.ready_ps < one.ended_ps < 10 * SECOND_PS


def test_arguments_meet_no_shell(supervise):
    words = ("$HOME", "a  b", "*", ";", "`id`")
    (one,) = run_until(supervise(program("a", "printf", "%s\\n", *words))).values()
    assert (one.folder / "stdout").read_text().splitlines() == list(words)


def test_an_unexpected_exit_is_a_failure_with_its_place_and_last_words(supervise):
    supervisor = supervise(python("web", "import sys; sys.exit('no licence')"))
    (one,) = run_until(supervisor).values()
    assert (one.status, one.exit_code) == ("failed", 1)
    assert supervisor.failures == [
        "services.web: it ended with exit code 1, where exit code 0 was expected; its last words: no licence"
    ]


def test_a_program_ended_by_a_signal(supervise):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    (one,) = run_until(supervise(python("a", code))).values()
    assert (one.status, one.exit_code, one.signal) == ("failed", None, signal.SIGSEGV)
    assert "SIGSEGV" in one.reason


LISTEN = (
    "import socket, time; time.sleep(.3);"
    "s = socket.create_server(('{host}', 7000), family=socket.{family}); time.sleep(60)"
)


@pytest.mark.parametrize(
    ("ready", "code"),
    [
        (Ready(port=7000, within_ps=WITHIN), LISTEN.format(host="", family="AF_INET")),
        (Ready(port=7000, within_ps=WITHIN), LISTEN.format(host="::1", family="AF_INET6")),
        (
            Ready(line="now serving", within_ps=WITHIN),
            "import sys, time; time.sleep(.3); sys.stdout.write('now '); sys.stdout.flush(); time.sleep(.1);"
            "sys.stdout.write('serving on'); sys.stdout.flush(); time.sleep(60)",
        ),
        (
            Ready(line="now serving", within_ps=WITHIN),
            "import sys, time; time.sleep(.3); print('now serving', file=sys.stderr); time.sleep(60)",
        ),
        (
            Ready(file="/tmp/there", within_ps=WITHIN),
            "import time; time.sleep(.3); open('/tmp/there', 'w'); time.sleep(60)",
        ),
        (
            Ready(file="/var/run/there.pid", within_ps=WITHIN),
            "import time; time.sleep(.3); open('/run/there.pid', 'w'); time.sleep(60)",
        ),
    ],
    ids=["port", "port-ipv6", "line", "line-stderr", "file", "file-behind-a-link"],
)
def test_what_comes_after_waits_until_ready(supervise, ready, code):
    supervisor = supervise(
        python("server", code, ready=ready),
        program("client", "true", after=("server",)),
    )
    found = run_until(supervisor, lambda: supervisor.outcomes["client"].status == "done")
    assert 0.3 * SECOND_PS <= found["server"].ready_ps < 4 * SECOND_PS
    assert found["client"].started_ps >= found["server"].ready_ps
    assert not supervisor.failures


def test_another_hosts_port_does_not_count(supervise):
    supervisor = supervise(
        python("other", LISTEN.format(host="", family="AF_INET"), node="h2"),
        program("waits", "sleep", "60", ready=Ready(port=7000, within_ps=SECOND_PS)),
    )
    run_until(supervisor, lambda: supervisor.outcomes["waits"].status == "failed")
    assert supervisor.outcomes["waits"].reason == "was not ready within 1 s: no port 7000"


def test_what_ends_before_it_is_ready_has_failed_and_so_has_what_waits_for_it(supervise):
    supervisor = supervise(
        program("server", "true", ready=Ready(port=7000, within_ps=WITHIN)),
        program("client", "true", after=("server",)),
    )
    found = run_until(supervisor)
    assert found["server"].reason == "ended with exit code 0 before it was ready"
    assert found["client"].status == "not started"
    assert "comes after server, which ended with exit code 0" in found["client"].reason


def test_without_ready_the_next_waits_for_the_end(supervise):
    supervisor = supervise(program("setup", "sleep", "0.3"), program("next", "true", after=("setup",)))
    found = run_until(supervisor)
    assert found["next"].started_ps >= found["setup"].ended_ps


def test_start_and_stop_times(supervise):
    supervisor = supervise(
        program("a", "sleep", "60", start_ps=SECOND_PS // 2, stop_ps=SECOND_PS, exit_code=0),
    )
    (one,) = run_until(supervisor).values()
    assert (one.status, one.signal) == ("stopped", signal.SIGTERM)
    assert SECOND_PS // 2 <= one.started_ps < SECOND_PS <= one.ended_ps < 3 * SECOND_PS


def test_the_stop_signal_reaches_the_program_and_its_last_output_is_kept(supervise):
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('bye'), sys.exit(0)))\n"
        "print('set', flush=True)\nsignal.pause()"
    )
    supervisor = supervise(python("a", code, stop_signal="INT", ready=Ready(line="set", within_ps=WITHIN)))
    began = time.monotonic()
    while supervisor.outcomes["a"].ready_ps == NEVER_PS:
        supervisor.poll(clock_ps(began))
        supervisor.wait(0.01)
    supervisor.stop(clock_ps(began))
    (one,) = run_until(supervisor).values()
    assert (one.status, one.exit_code) == ("stopped", 0)
    assert (one.folder / "stdout").read_text() == "set\nbye\n"


def test_a_program_that_ignores_its_stop_signal_is_killed_after_the_grace(supervise, monkeypatch):
    grace_ps = SECOND_PS // 2
    monkeypatch.setattr(processes, "STOP_GRACE_PS", grace_ps)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('set', flush=True); time.sleep(60)"
    supervisor = supervise(python("a", code, ready=Ready(line="set", within_ps=WITHIN), stop_ps=SECOND_PS))
    (one,) = run_until(supervisor).values()
    assert (one.status, one.signal) == ("stopped", signal.SIGKILL)
    assert one.ended_ps > SECOND_PS + grace_ps


def test_a_time_limit(supervise):
    (one,) = run_until(supervise(program("a", "sleep", "60", time_limit_ps=SECOND_PS // 2))).values()
    assert (one.status, one.reason) == ("failed", "ran longer than its time_limit of 0.5 s")


TAKES_MEMORY = "import sys; found = bytearray(int(sys.argv[1])); print(len(found))"


def test_a_program_gets_no_more_memory_than_it_may_have(supervise):
    code = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {TAKES_MEMORY!r}, sys.argv[1]]).returncode)"
    cases = {
        "fits": (TAKES_MEMORY, 20),
        "is too much": (TAKES_MEMORY, 200),
        "of a child is too much": (code, 200),
    }
    programs = [
        program(name, sys.executable, "-c", text, str(size * 10**6), memory_bytes=100 * 10**6)
        for name, (text, size) in cases.items()
    ]
    unlimited = program("free", sys.executable, "-c", TAKES_MEMORY, "200000000")
    found = run_until(supervise(*programs, unlimited))
    assert {name: one.status for name, one in found.items()} == {
        "fits": "done", "is too much": "failed", "of a child is too much": "failed", "free": "done",
    }  # fmt: skip
    assert found["is too much"].reason.endswith("its last words: MemoryError")


def test_a_limit_of_memory_needs_the_program_that_sets_it(supervise, monkeypatch):
    monkeypatch.setattr("netarium.run.emulate.needs.PRLIMIT", "no-such-prlimit")
    with pytest.raises(
        MachineCannot,
        match=r"services\.a\.memory: this machine has no no-such-prlimit, which sets",
    ):
        supervise(program("a", "true", memory_bytes=10**8)).check()


ORPHANS = """
import os, time
for depth in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1000)
        time.sleep(1000)
print("spread", flush=True)
time.sleep({stays})
"""


@pytest.mark.parametrize("stays", [0.2, 1000], ids=["ends by itself", "is stopped"])
def test_the_whole_tree_ends(supervise, stays):
    """Children that left the session and lost their parent end too."""
    mark = f"{time.monotonic_ns()}"
    supervisor = supervise(
        python(
            "a",
            ORPHANS.format(stays=stays),
            ready=Ready(line="spread", within_ps=WITHIN),
            env=(("TREE", mark),),
            stop_ps=SECOND_PS,
        )
    )
    run_until(supervisor)
    until = time.monotonic() + 3
    while left := _carrying(mark):
        assert time.monotonic() < until, left
        time.sleep(0.02)


def _carrying(mark: str) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"TREE={mark}".encode() in (folder / "environ").read_bytes():
                found.append(folder.name)
        except OSError:
            continue
    return found


def test_files_are_read_only_and_tmp_is_the_hosts(supervise, tmp_path):
    Path("/tmp/netarium-probe").write_text("of the machine")
    code = """
import os, pathlib
for path in ("/probe", "/usr/probe", "/etc/hosts", "/proc/sys/kernel/hostname"):
    try:
        pathlib.Path(path).write_text("x")
        print("wrote", path)
    except OSError:
        pass
print(os.listdir("/tmp"), os.listdir("/run"))
pathlib.Path("/tmp/note").write_text("from h1")
pathlib.Path("/run/note").write_text("from h1")
pathlib.Path("own").write_text("mine")
"""
    look = "import os; print(sorted(os.listdir('/tmp')))"
    supervisor = supervise(
        python("writes", code),
        python("same", look, after=("writes",)),
        python("other", look, node="h2", after=("writes",)),
    )
    try:
        found = run_until(supervisor)
    finally:
        Path("/tmp/netarium-probe").unlink()
    texts = {name: (one.folder / "stdout").read_text() for name, one in found.items()}
    assert not supervisor.failures, texts
    shown = (str(found["writes"].folder), sys.prefix, sys.base_prefix, __file__)
    below_tmp = {Path(path).parts[2] for path in shown if path.startswith("/tmp/")}
    listed = eval(texts["writes"].splitlines()[-1].split("] [")[0] + "]")
    assert (
        set(listed) <= below_tmp
    )  # its own folder and Python's, where those lie below /tmp; netarium-probe does not show
    assert "wrote" not in texts["writes"]
    assert "note" in texts["same"] and "note" not in texts["other"]
    assert (found["writes"].folder / "files" / "own").read_text() == "mine"
    assert not Path("/tmp/note").exists()


def test_writable_paths_and_no_isolation(supervise):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as shared:
        target = Path(shared) / "file"
        run_until(supervise(program("a", "touch", str(target), writable=(shared,))))
        assert target.exists()
        target.unlink()
        assert run_until(supervise(program("b", "touch", str(target))))["b"].status == "failed"
        assert not target.exists()
        run_until(supervise(program("c", "touch", str(target)), isolation="none"))
        assert target.exists()


def test_settings_of_the_hosts_network_can_be_changed_and_stay_its_own(supervise):
    path = "/proc/sys/net/ipv4/tcp_ecn"
    before = Path(path).read_text()
    code = f"import pathlib; p = pathlib.Path('{path}'); p.write_text('0'); print(p.read_text())"
    (one,) = run_until(supervise(python("a", code))).values()
    assert (one.folder / "stdout").read_text().strip() == "0"
    assert Path(path).read_text() == before != "0\n"


def test_names_host_name_and_processes(supervise):
    code = """
import os, socket
print(socket.gethostname(), socket.gethostbyname("h2"), socket.getaddrinfo("h2", 1, socket.AF_INET6)[0][4][0])
print(len([name for name in os.listdir("/proc") if name.isdigit()]), os.environ["NETARIUM_NODE"])
"""
    (one,) = run_until(supervise(python("a", code))).values()
    first, second = (one.folder / "stdout").read_text().splitlines()
    assert first == "h1 10.0.0.2 fd00::2"
    assert second == "2 h1"  # bubblewrap's number 1, and itself


def test_output_is_kept_up_to_a_limit_and_the_cut_is_said(supervise, monkeypatch):
    monkeypatch.setattr(output.Output.__init__, "__defaults__", (1000, ""))
    code = "import sys; sys.stdout.write('x' * 300000)"
    (one,) = run_until(supervise(python("a", code))).values()
    text = (one.folder / "stdout").read_text()
    assert text.startswith("x" * 1000 + "\n[netarium: cut here; 299000 more bytes")
    assert one.cut_bytes == 299000


def test_what_cannot_be_started_is_said_before_anything_is(supervise):
    supervisor = supervise(
        program("a", "no-such-program"),
        program("b", "true", cwd="/no/such/folder"),
        program("c", "true", writable=("/no/such/path",)),
        Program("bulk.client0", 0, "h1", ("no-iperf3",), role="client"),
    )
    with pytest.raises(MachineCannot) as raised:
        supervisor.check()
    lines = str(raised.value).splitlines()
    assert lines[0].startswith("services.a.argv[0]: this machine has no program 'no-such-program' in /")
    assert lines[1] == "services.b.cwd: there is no folder '/no/such/folder' on this machine"
    assert lines[2] == "services.c.writable: there is no '/no/such/path' on this machine; make it first"
    assert lines[3].startswith("services.bulk.argv[0]: this machine has no program 'no-iperf3'")


def test_a_thread_of_its_own_stops_everything_at_the_end_of_the_block(supervise):
    supervisor = supervise(
        program("a", "sleep", "60"),
        program("b", "sleep", "60", node="h2"),
        program("late", "true", start_ps=60 * SECOND_PS),
    )
    ended: list[str] = []
    began = time.monotonic()
    with Supervising(supervisor, lambda: clock_ps(began), lambda one: ended.append(one.program.name)):
        while len(supervisor.pids()) < 2:
            time.sleep(0.01)
    assert sorted(ended) == ["a", "b"]
    assert {one.status for one in supervisor.outcomes.values()} == {"stopped", "not started"}
    assert supervisor.failures == [
        f"services.late: it {supervisor.outcomes['late'].reason}",
    ]
    assert "its start is 60 s" in supervisor.outcomes["late"].reason


def test_hundreds_of_programs(supervise):
    count = 100
    supervisor = supervise(*(program(f"p{n}", "true", node=f"h{n % 2 + 1}") for n in range(count)))
    began = time.monotonic()
    found = run_until(supervisor, limit_s=30)
    assert {one.status for one in found.values()} == {"done"}
    assert count / (time.monotonic() - began) > 10  # a loaded machine; bench/hosts.py measures


def test_what_is_shown_below_a_private_place_is_open_to_everybody():
    shown = ["/tmp/clone/examples/real", "/run/user/files"]
    assert sandbox._above(shown) == ["/run/user", "/tmp/clone", "/tmp/clone/examples"]
