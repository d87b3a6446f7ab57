"""Progress: figures that people read, a bar on a terminal, lines elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from netarium.operate import progress


@dataclass
class Now:
    virtual_ps: int
    duration_ps: int = 20 * 10**12
    packet_hops: int = 0
    wall_s: float = 0.0


def test_pace_is_speed_and_time_left() -> None:
    pace = progress.Pace(Now(5 * 10**12, packet_hops=48_200_000, wall_s=2.0))
    assert pace.done == 0.25
    assert pace.speed == "24.1 M packet-hops/s"
    assert pace.left == "6 s left"


def test_nothing_is_promised_before_the_first_step() -> None:
    pace = progress.Pace(Now(0))
    assert (pace.done, pace.hops_per_s, pace.left) == (0.0, 0.0, "")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1:00"), (125, "2:05"), (3725, "1:02:05")]
)
def test_clock(seconds: float, text: str) -> None:
    assert progress.clock(seconds) == text


@pytest.mark.parametrize(
    ("virtual", "duration", "text"),
    [
        (6_200 * 10**9, 20 * 10**12, "6.2 of 20 s"),
        (10**9, 1_500 * 10**6, "1.0 of 1.5 ms"),
        (0, 10, "0 of 10 ps"),
    ],
)
def test_virtual_time_in_the_unit_of_the_duration(virtual: int, duration: int, text: str) -> None:
    assert progress.virtual_time(Now(virtual, duration)) == text


def test_lines_come_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    watching = progress.Lines()
    for second in range(200):
        clock[0] = 100.0 + second
        watching.progress(Now(second * 10**11, packet_hops=second * 10**6, wall_s=float(second)))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.split()[0] for line in captured.err.splitlines()] == [
        "1%",
        "3%",
        "7%",
        "15%",
        "31%",
        "61%",
        "91%",
    ]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.watcher(quiet=True) as watching:
        watching.say("a")
        watching.stage("b")
        watching.progress(Now(1, wall_s=1.0))
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_there_are_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.watcher(quiet=False) as watching:
        watching.stage("compiling")
    assert capsys.readouterr().err == "compiling\n"


def test_the_bar_shows_the_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.watcher(quiet=False) as watching:
        assert isinstance(watching, progress.Bar)
        watching.stage("compiling the engine")
        watching.progress(Now(5 * 10**12, packet_hops=48_200_000, wall_s=2.0))
        watching.say("a line [that] stays")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "5.0 of 20 s · 24.1 M packet-hops/s · 6 s left" in captured.err
    assert "a line [that] stays" in captured.err
