"""A control from a user's file: what it needs, what stands in for the rest, the wording of mistakes."""

from pathlib import Path

import pytest
from control_driver import MS_PS, Control

from netarium.errors import TrialInvalid
from netarium.run.kernel.congestion import user
from netarium.run.kernel.congestion.codes import CODES, USER
from netarium.run.kernel.jit import INTERPRETED

PAGE = Path(__file__).parents[4] / "docs/kinds/congestion/own.md"

SCALABLE = '''"""Scalable TCP (Kelly, 2003): the window grows and shrinks by shares."""

import math

GROWTH = 0.01
CUT = 0.125
FLOOR = 2


def smallest(conn):
    return FLOOR * conn.mss_bytes


def on_ack(conn, ack, now_ps):
    if ack.in_recovery or not ack.cwnd_limited:
        return
    if conn.cwnd_bytes < conn.ssthresh_bytes:
        conn.cwnd_bytes += ack.acked_bytes
    else:
        conn.cwnd_bytes += math.ceil(GROWTH * ack.acked_bytes)


def on_loss(conn, ack, now_ps):
    conn.ssthresh_bytes = max(int(conn.cwnd_bytes * (1 - CUT)), smallest(conn))
'''


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str, parameters: dict[str, float] | None = None) -> list[str]:
    """The sentences about a file, without its path and the place in the trial."""
    with pytest.raises(TrialInvalid) as caught:
        user.load(written(folder, text), "mine", parameters, "transport.congestion")
    texts = [str(problem) for problem in caught.value.problems]
    assert all(text.startswith(f"{folder}/mine.py") and ": transport.congestion: " in text for text in texts)
    return [text.removeprefix(f"{folder}/mine.py").replace(": transport.congestion", "") for text in texts]


def test_a_control_of_thirty_lines_runs(tmp_path: Path) -> None:
    addresses = user.load(written(tmp_path, SCALABLE), "scalable", {"GROWTH": 0.05})
    assert [address != 0 for address in addresses] == [False, True, True, False, False, False]
    control = Control(USER, addresses=addresses)
    control.acks_of(90, MS_PS)
    assert control.segments == 100
    control.lose()
    assert control.segments == 87.5
    control.acks_of(10, MS_PS)
    assert control.conn.cwnd_bytes == 87_500 + 10 * 50
    control.conn.cwnd_bytes = 1000
    control.lose()
    assert control.segments == 2


def test_the_control_of_the_page_runs(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    control = Control(USER, addresses=user.load(written(tmp_path, text), "scalable", {"GROWTH": 0.02}))
    control.acks_of(90, MS_PS)
    control.lose()
    control.acks_of(10, MS_PS)
    assert control.conn.cwnd_bytes == 87_500 + 10 * 20


def test_verbs_the_file_does_not_have_are_renos(tmp_path: Path) -> None:
    text = "def on_ack(conn, ack, now_ps):\n    conn.cwnd_bytes += 1\n"
    mine = Control(USER, addresses=user.load(written(tmp_path, text), "mine"))
    reno = Control(CODES["reno"])
    for control in (mine, reno):
        control.conn.cwnd_bytes = 40_000
        for verb in ("on_loss", "on_rto", "on_ecn", "on_recovered"):
            control.do(verb)
    assert mine.conn.cwnd_bytes == reno.conn.cwnd_bytes == 20_000
    assert mine.conn.ssthresh_bytes == reno.conn.ssthresh_bytes


def test_built_in_verbs_can_be_called_and_recovery_owned(tmp_path: Path) -> None:
    text = (
        "from netarium.run.kernel.congestion import reno\n"
        "OWNS_RECOVERY = True\n"
        "def on_ack(conn, ack, now_ps):\n    reno.on_ack(conn, ack, now_ps)\n"
        "def on_rto(conn, ack, now_ps):\n    conn.cwnd_bytes = conn.cwnd_bytes * 0.3\n"
    )
    path = written(tmp_path, text)
    assert user.owns_recovery(user.read(path, "mine"))
    control = Control(USER, addresses=user.load(path, "mine"))
    control.acks_of(10, MS_PS)
    assert control.segments == 20
    control.do("on_rto")
    assert control.segments == 6


def test_parameters_replace_constants_and_keep_whole_numbers_whole(tmp_path: Path) -> None:
    file = user.read(written(tmp_path, SCALABLE), "mine", {"FLOOR": 4.0, "CUT": 0.5})
    assert (file.constant("FLOOR", 0), file.constant("CUT", 0), file.constant("GROWTH", 0)) == (4, 0.5, 0.01)
    assert isinstance(file.constant("FLOOR", 0), int)
    assert not user.owns_recovery(file)


HEAD = "GAIN = 0.5\nTABLE = [1, 2]\ndef on_ack(conn, ack, now_ps):\n"

FIELD = "a field of that record (kernel/records.py)"

STATIC = {
    "no on_ack": (
        "def on_loss(conn, ack, now_ps):\n    pass\n",
        ": found no function on_ack, expected def on_ack(...)",
    ),
    "near on_ack": (
        "def on_ak(conn, ack, now_ps):\n    pass\n",
        ": found no function on_ack, expected def on_ack(...); did you mean 'on_ak'?",
    ),
    "arguments": (
        "def on_ack(conn, ack):\n    pass\n",
        ":1:1: found on_ack(conn, ack), expected three plain arguments: two records and now_ps",
    ),
    "defaults": (
        "\ndef on_ack(conn, ack, now_ps=0):\n    pass\n",
        ":2:1: found on_ack(conn, ack, now_ps=0), expected three plain arguments: two records and now_ps",
    ),
    "field": (
        HEAD + "    conn.cwnd += 1\n",
        f":4:5: found conn.cwnd, expected {FIELD}; did you mean 'cwnd_bytes'?",
    ),
    "field of the ACK": (
        HEAD + "    conn.una += ack.aked_bytes\n",
        f":4:17: found ack.aked_bytes, expected {FIELD}; did you mean 'acked_bytes'?",
    ),
    "syntax": ("def on_ack(conn, ack, now_ps)\n    pass\n", ":1:30: found expected ':', expected Python"),
}
COMPILER = {
    "name": (
        HEAD + "    conn.cwnd_bytes += GAI\n",
        ":4:1: found the unknown name 'GAI', expected a constant or function of the file; "
        "did you mean 'GAIN'?",
    ),
    "text": (HEAD + "    conn.cwnd_bytes = 'wide'\n", ":4:1: found text where an integer belongs"),
    "list": (HEAD + "    TABLE[0] = 1\n", ":4:1: found 'TABLE', a list made outside the function"),
    "types": (
        HEAD + "    x = 1\n    if ack.ece:\n        x = 'a'\n    y = x\n",
        ":7:1: found 'x', which is an integer on one way and text on another, expected one type",
    ),
    "import": (
        "import nothing_of_that_name\n" + HEAD + "    pass\n",
        ":1:1: found ModuleNotFoundError: No module named 'nothing_of_that_name'",
    ),
}


@pytest.mark.parametrize(("text", "expected"), STATIC.values(), ids=STATIC)
def test_mistakes_found_before_compiling(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in mistakes(tmp_path, text)


@pytest.mark.skipif(INTERPRETED, reason="plain Python has no compiler to find these")
@pytest.mark.parametrize(("text", "expected"), COMPILER.values(), ids=COMPILER)
def test_mistakes_found_by_the_compiler(tmp_path: Path, text: str, expected: str) -> None:
    (found,) = mistakes(tmp_path, text)
    assert found.startswith(expected)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = HEAD + "    conn.cwnd += 1\n\ndef on_los(conn, ack, now_ps):\n    pass\n"
    found = mistakes(tmp_path, text, {"GIAN": 1.0})
    assert len(found) == 3
    assert any(
        "found parameter GIAN, expected a constant of the file; did you mean 'GAIN'?" in line
        for line in found
    )
    assert any(
        "function on_los, which nothing calls" in line and "did you mean 'on_loss'?" in line for line in found
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrialInvalid, match="no readable file"):
        user.read(tmp_path / "absent.py", "mine")
