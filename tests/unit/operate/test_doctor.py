"""Doctor: a row for each thing, and something to do about each that is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netarium.operate import doctor, doctor_hosts, privilege
from netarium.run.emulate import needs


def test_every_missing_thing_has_advice(tmp_path: Path) -> None:
    findings = doctor.examine(tmp_path / "runs")
    assert {finding.needed_for for finding in findings} == {doctor.SIMULATE, doctor.REAL_HOSTS}
    assert not [finding for finding in findings if not finding.ok and not finding.advice]
    assert not (tmp_path / "runs").exists(), "doctor looks and changes nothing"


def test_netem_is_not_needed() -> None:
    assert doctor.netem().ok
    assert "no netem: not needed" in doctor.netem().found


def test_a_switched_off_compiler_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    finding = doctor.numba()
    assert not finding.ok
    assert "very slow" in finding.found


def test_an_old_python_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 2))
    assert not doctor.python().ok


def test_little_memory_and_a_full_disk_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from types import SimpleNamespace

    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=10**8))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    assert not doctor.memory().ok
    assert not doctor.disk(tmp_path / "deep" / "runs").ok


def test_missing_kernel_congestion_controls_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_hosts.Path, "exists", lambda self: True)
    monkeypatch.setattr(doctor_hosts.Path, "read_text", lambda self: "reno cubic\n")
    finding = doctor_hosts.congestion_controls()
    assert not finding.ok
    assert finding.advice.endswith("modprobe tcp_bbr tcp_dctcp")


def test_missing_privileges_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privilege, "rootless_lacks", lambda: ["no user namespaces (sudo sysctl a.b=1)"])
    monkeypatch.setattr(needs, "capabilities", lambda: 1 << needs.CAP_NET_ADMIN)
    finding = doctor_hosts.privileges()
    assert not finding.ok
    assert "without CAP_SYS_ADMIN" in finding.found
    assert finding.advice == "run with sudo; or, without root: no user namespaces (sudo sysctl a.b=1)"
    monkeypatch.setattr(privilege, "rootless_lacks", list)
    assert doctor_hosts.privileges().ok
    monkeypatch.setattr(needs, "capabilities", lambda: 1 << needs.CAP_NET_ADMIN | 1 << needs.CAP_SYS_ADMIN)
    assert doctor_hosts.privileges().ok


def test_few_open_files_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_hosts.resource, "getrlimit", lambda _: (1024, 1024))
    finding = doctor_hosts.open_files()
    assert not finding.ok
    assert "some 448 hosts" in finding.found
    assert "ulimit -Hn 10000" in finding.advice


@pytest.mark.parametrize("check", [doctor_hosts.isolation, doctor_hosts.nft, doctor_hosts.iperf3])
def test_programs_that_are_not_there_are_named_with_their_package(
    check: Callable[[], doctor.Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_hosts.shutil, "which", lambda *_, **__: None)
    finding = check()
    assert not finding.ok
    assert "apt install" in finding.advice


def test_no_tap_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(needs, "TUN", tmp_path / "tun")
    finding = doctor_hosts.tap()
    assert not finding.ok
    assert "modprobe tun" in finding.advice


def test_what_most_trials_do_without_is_called_optional(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says what it is for."""
    monkeypatch.setattr(doctor.shutil, "which", lambda *_, **__: None)
    found = {finding.what: finding for finding in doctor.examine(tmp_path)}
    for what in ("tshark", "nft", "iperf3", "ip"):
        assert not found[what].ok
        assert found[what].optional
        assert found[what].advice.startswith("only ")
    assert not found["isolation"].optional
