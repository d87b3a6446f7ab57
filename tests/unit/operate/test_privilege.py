"""Real hosts without root: what is missing is said, all of it; where nothing is, netarium starts again as root of its own."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from netarium.errors import MachineCannot
from netarium.operate import privilege
from netarium.run.emulate import needs


@pytest.fixture
def unprivileged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "capabilities", lambda: 0)
    monkeypatch.delenv(privilege.INSIDE, raising=False)


def answer(monkeypatch: pytest.MonkeyPatch, code: int, stderr: str = "") -> None:
    """What the attempt to make a user namespace comes to."""
    ran = SimpleNamespace(returncode=code, stderr=stderr)
    monkeypatch.setattr(privilege.subprocess, "run", lambda *_, **__: ran)


def test_with_rights_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "capabilities", lambda: 1 << needs.CAP_NET_ADMIN | 1 << needs.CAP_SYS_ADMIN)
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("started again"))
    privilege.ensure()


def test_everything_that_is_missing_is_said(
    unprivileged: None, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    answer(monkeypatch, 1, "unshare: unshare failed: Operation not permitted\n")
    monkeypatch.setattr(needs, "TUN", tmp_path / "tun")
    with pytest.raises(MachineCannot) as raised:
        privilege.ensure()
    assert raised.value.exit_code == 4
    text = str(raised.value)
    assert text.startswith("real hosts need root (run with sudo), or without it: no user namespaces")
    assert "Operation not permitted" in text
    assert f"{tmp_path}/tun is not there (sudo modprobe tun" in text


def test_it_starts_again_in_a_user_namespace_with_the_same_words(
    unprivileged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, 0)
    monkeypatch.setattr(privilege.os, "access", lambda *_: True)
    monkeypatch.setattr("sys.argv", ["netarium", "up", "lab", "--detach"])
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda _, argv, environment: started.append((argv, environment)))
    privilege.ensure()
    ((argv, environment),) = started
    assert argv[1:4] == ["--user", "--map-root-user", "--net"]
    assert argv[-3:] == ["up", "lab", "--detach"]
    assert environment[privilege.INSIDE] == "1"
    assert environment["NETARIUM_RUNTIME"]


def test_it_does_not_start_again_twice(unprivileged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 0)
    monkeypatch.setattr(privilege.os, "access", lambda *_: True)
    monkeypatch.setenv(privilege.INSIDE, "1")
    with pytest.raises(MachineCannot, match="the user namespace gave no rights"):
        privilege.ensure()


def test_what_it_starts_is_root_where_it_is_not(unprivileged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 0)
    monkeypatch.setattr(privilege.os, "access", lambda *_: True)
    command, more = privilege.as_root(["program", "word"])
    assert command[1:] == [*privilege.USER, "--", "program", "word"]
    assert more[privilege.INSIDE] == "1" and more["NETARIUM_RUNTIME"]
    answer(monkeypatch, 1, "unshare: unshare failed: Operation not permitted\n")
    assert privilege.as_root(["program", "word"]) == (["program", "word"], {})
    assert "Operation not permitted" in privilege.refusal()


def test_what_root_starts_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "capabilities", lambda: 1 << needs.CAP_NET_ADMIN | 1 << needs.CAP_SYS_ADMIN)
    assert privilege.as_root(["program"]) == (["program"], {})
    assert privilege.refusal() == ""
