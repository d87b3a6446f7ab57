"""Messages: each kind of error has its block, its exit code, and under --json its document."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import typer

from netarium.errors import (
    AdmissionRefused,
    MachineCannot,
    Problem,
    RecordError,
    Refusal,
    RunInterrupted,
    TrialInvalid,
)
from netarium.operate import messages

PROBLEMS = [
    Problem(
        "services.a.rate", "'50'", "a rate with its unit", "did you mean '50 bit/s'?", "lab.trial.yml", 12, 3
    ),
    Problem("duration", "nothing", "a time", file="lab.trial.yml"),
]
REFUSAL = Refusal("express", "guiyang->wuhan", "90 Gbit/s", "60 Gbit/s", "60 Gbit/s fits")


def outcome(
    error: BaseException, capsys: pytest.CaptureFixture[str], as_json: bool = False
) -> tuple[int, str, str]:
    @messages.guarded
    def command(as_json: bool = False) -> None:
        raise error

    with pytest.raises(typer.Exit) as left:
        command(as_json=as_json)
    captured = capsys.readouterr()
    return left.value.exit_code, captured.out, captured.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TrialInvalid(PROBLEMS), 2),
        (AdmissionRefused([REFUSAL]), 3),
        (MachineCannot("needs 80 GB of memory, has 23 GB"), 4),
        (RunInterrupted("stopped"), 5),
        (KeyboardInterrupt(), 5),
        (RecordError("no such run"), 2),
        (OSError(errno.ENOSPC, "No space left on device", "runs/x/metrics.json"), 4),
        (MemoryError(), 4),
        (ZeroDivisionError("division by zero"), 70),
    ],
)
def test_exit_codes_and_one_json_document(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    left, out, err = outcome(error, capsys, as_json=True)
    document = json.loads(out)
    assert (left, document["exit_code"]) == (code, code)
    assert "Traceback" not in out + err
    assert err


def test_every_mistake_is_listed_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = outcome(TrialInvalid(PROBLEMS), capsys)
    assert out == ""
    assert err == (
        "2 mistakes in lab.trial.yml\n"
        "\n"
        "  line 12, services.a.rate\n"
        "    found    '50'\n"
        "    expected a rate with its unit\n"
        "    hint     did you mean '50 bit/s'?\n"
        "\n"
        "  duration\n"
        "    found    nothing\n"
        "    expected a time\n"
    )


def test_a_refusal_names_the_binding_link_and_the_alternative(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = outcome(AdmissionRefused([REFUSAL]), capsys)
    assert "reason   guiyang->wuhan has 60 Gbit/s left" in err
    assert "nearest  60 Gbit/s fits" in err


def test_a_bug_is_called_one_and_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = outcome(ZeroDivisionError("division by zero"), capsys)
    assert "This is a bug in netarium, not in your trial: ZeroDivisionError: division by zero" in err
    report = Path(err.split()[-1])
    assert "Traceback (most recent call last)" in report.read_text()
    report.unlink()


def test_a_closed_pipe_is_no_error() -> None:
    import subprocess
    import sys

    program = """
from netarium.operate.messages import guarded
import typer
app = typer.Typer()
@app.command()
@guarded
def many():
    for number in range(100_000): print(number)
app()"""
    ran = subprocess.run(
        f"{sys.executable} -c '{program}' | head -1",
        shell=True,
        capture_output=True,
        text=True,
        executable="/bin/bash",
    )
    assert (ran.stdout, ran.stderr) == ("0\n", "")
