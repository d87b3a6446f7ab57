"""Doctor: a row for each thing, and something to do about each that is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.operate import doctor


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
    monkeypatch.setattr(doctor.Path, "exists", lambda self: True)
    monkeypatch.setattr(doctor.Path, "read_text", lambda self: "reno cubic\n")
    finding = doctor.congestion_controls()
    assert not finding.ok
    assert finding.advice == "modprobe tcp_bbr tcp_dctcp"


def test_missing_privileges_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_capabilities", lambda: 1 << doctor.CAP_NET_ADMIN)
    assert "without CAP_SYS_ADMIN" in doctor.privileges().found
    monkeypatch.setattr(
        doctor, "_capabilities", lambda: 1 << doctor.CAP_NET_ADMIN | 1 << doctor.CAP_SYS_ADMIN
    )
    assert doctor.privileges().ok


def test_a_tap_device_that_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.Path, "exists", lambda self: True)
    monkeypatch.setattr(doctor.os, "open", refuse)
    finding = doctor.tap()
    assert not finding.ok
    assert "Permission denied" in finding.found
