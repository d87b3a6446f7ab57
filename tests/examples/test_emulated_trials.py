"""Programs nobody here wrote run unchanged on real hosts: every bundled real-* trial, and one trial in both modes, compared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from realhosts import only_with_real_hosts

from netarium.operate import trialfile

NETARIUM = [
    sys.executable, "-c", "import sys; sys.argv[0] = 'netarium'; from netarium.operate.cli import main; main()"
]  # fmt: skip
PROGRAMS = {
    "real-ping": ["ping"], "real-iperf3": ["iperf3"], "real-both": ["iperf3"], "real-background": ["ping"],
    "real-web": ["nginx", "curl"], "real-ssh": ["ssh", "sshd", "ssh-keygen", "rsync"], "real-quic": ["openssl"],
    "real-ospf": ["/usr/lib/frr/ospfd", "/usr/lib/frr/zebra"], "real-postgres": ["psql", "setpriv"],
}  # fmt: skip
FORGIVING = "emulate.tolerance=2 s"
"""How late a machine that runs tests may be: what is tested here is that the programs run, not the machine."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

pytestmark = only_with_real_hosts
by_the_wall = pytest.mark.emulate
"""Real hosts run; what is refused before that can be tested beside others."""


def netarium(*arguments: str, exit_code: int = 0) -> str:
    finished = subprocess.run([*NETARIUM, *arguments], capture_output=True, text=True, timeout=600)
    assert finished.returncode == exit_code, finished.stdout + finished.stderr
    return finished.stdout


def run(name: str, runs: Path, *more: str) -> dict:
    asked = (name, "--json", "--quiet", "--out", str(runs), "--set", FORGIVING, *more)
    return dict(json.loads(netarium("run", *asked)))


def test_there_is_a_trial_for_every_program() -> None:
    assert set(PROGRAMS) == {name for name in trialfile.examples() if name.startswith("real-")}


@by_the_wall
@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_real_programs_run_unchanged(name: str, tmp_path: Path) -> None:
    lacking = [program for program in PROGRAMS[name] if shutil.which(program, path=PATH) is None]
    if lacking and "CI" not in os.environ:
        pytest.skip(f"not installed: {', '.join(lacking)}; .ci/run installs what these trials run")
    assert not lacking, f"install what .ci/run installs: {lacking}"
    document = run(name, tmp_path)
    assert document["status"] == "succeeded" and document["mode"] == "emulate"
    assert document["expect"] and all(entry["met"] for entry in document["expect"])
    books = document["conservation"]
    assert books["sent"] == books["delivered"] + books["in_flight"] + sum(books["dropped"].values())
    findings = document["emulation"]["linktest"]["findings"]
    assert all(finding["passed"] is not False for finding in findings)
    commands = {name: one for name, one in document["emulation"]["programs"].items() if one["status"]}
    assert all((tmp_path / document["run"] / "programs" / name / "stdout").exists() for name in commands)


@by_the_wall
@pytest.mark.slow
def test_one_trial_in_both_modes_is_compared(tmp_path: Path) -> None:
    """Models and the kernel agree on what the bottleneck lets through, and on the delay of what does not queue."""
    real, modelled = run("real-both", tmp_path), run("real-both", tmp_path, "--mode", "simulate")
    for service in ("download", "voice"):
        mine, theirs = (one["services"][service]["goodput_bps"] for one in (modelled, real))
        assert mine == pytest.approx(theirs, rel=0.15), service
    kernel = real["services"]["download"]["programs"]
    assert kernel["goodput_bps"] == pytest.approx(real["services"]["download"]["goodput_bps"], rel=0.15)
    assert real["services"]["pages"]["completion_s"] and modelled["services"]["pages"]["completion_s"]
    compared = json.loads(netarium("compare", real["run"], modelled["run"], "--out", str(tmp_path), "--json"))
    paths = {row["path"] for row in compared["metrics"]}
    assert any(path.endswith("download.goodput_bps") for path in paths)


SMALL = """
trial: small
duration: 1 s
mode: emulate
emulate: {{linktest: none, tolerance: 2 s}}
network:
  nodes: {{a: {{kind: host}}, b: {{kind: host}}}}
  links: [{{endpoints: [a, b], rate: 100 Mbit/s, delay: 1 ms}}]
services:
{services}
"""


def small(tmp_path: Path, services: str) -> str:
    path = tmp_path / "small.trial.yml"
    path.write_text(SMALL.format(services=services))
    return str(path)


def test_a_program_that_is_not_there_is_exit_code_4_before_anything_runs(tmp_path: Path) -> None:
    trial = small(tmp_path, "  x: {kind: command, node: a, argv: [no-such-program]}")
    finished = subprocess.run(
        [*NETARIUM, "run", trial, "--out", str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 4, finished.stderr
    assert "services.x.argv[0]" in finished.stderr and "no-such-program" in finished.stderr


def test_a_package_that_is_not_there_is_exit_code_4_with_its_name(tmp_path: Path) -> None:
    """A PATH with everything but iperf3."""
    place = tmp_path / "bin"
    place.mkdir()
    for program in ("bwrap", "nsenter", "unshare", "ip", "nft"):
        found = shutil.which(program, path=PATH)
        if found is not None:
            (place / program).symlink_to(found)
    finished = subprocess.run(
        [*NETARIUM, "run", "real-both", "--out", str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PATH": str(place)},
    )
    assert finished.returncode == 4, finished.stderr
    assert "not installed: iperf3; apt install iperf3" in finished.stderr


@by_the_wall
def test_a_port_that_never_gets_ready_ends_the_run_and_keeps_the_record(tmp_path: Path) -> None:
    services = """
  web: {kind: command, node: b, argv: [sleep, 60], ready: {port: 80, within: 300 ms}}
  get: {kind: command, node: a, argv: [pwd], after: web}
"""
    printed = netarium(
        "run", small(tmp_path, services), "--json", "--quiet", "--out", str(tmp_path), exit_code=1
    )
    document = json.loads(printed)
    assert document["status"] == "failed" and document["engine"]["virtual_s"] < 0.9, "it ended early"
    programs = document["emulation"]["programs"]
    assert "was not ready within 0.3 s: no port 80" in programs["web"]["reason"]
    assert programs["get"]["status"] == "not started" and "web" in programs["get"]["reason"]
    stop = json.loads((tmp_path / document["run"] / "stop.json").read_text())
    assert stop["exit_code"] == 1 and "not ready" in stop["reason"]


@by_the_wall
def test_an_exit_code_other_than_expected_fails_the_run_unless_any_is(tmp_path: Path) -> None:
    failing = "  x: {kind: command, node: a, argv: [sh, -c, 'echo its last words; exit 3']}"
    printed = netarium(
        "run", small(tmp_path, failing), "--json", "--quiet", "--out", str(tmp_path), exit_code=1
    )
    reason = json.loads(printed)["emulation"]["programs"]["x"]["reason"]
    assert "exit code 3" in reason and "its last words" in reason
    netarium("run", small(tmp_path, failing[:-1] + ", exit_code: any}"), "--quiet", "--out", str(tmp_path))
