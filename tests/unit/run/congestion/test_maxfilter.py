"""The windowed maximum of three samples against the maximum over all samples of the window."""

import numpy as np
from control_driver import Control
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.run.kernel.congestion import maxfilter
from netarium.run.kernel.congestion.codes import CODES
from netarium.run.kernel.jit import kernel
from netarium.run.kernel.memory import as_sim

WINDOW = 10


@kernel(entry=True)
def fill(address, marks, samples, out):
    """Add samples one by one; the maximum after each."""
    conn = as_sim(address).conns[0]
    for k in range(len(marks)):
        maxfilter.add(conn, 0, 4, WINDOW, samples[k], marks[k])
        out[k] = conn.f[0]


def filtered(steps: list[int], samples: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Marks, and the filter's maximum after each sample."""
    control = Control(CODES["reno"])
    marks, out = np.cumsum(np.array(steps, np.int64)), np.zeros(len(samples))
    fill(control.memory.handle, marks, np.array(samples, float), out)
    return marks, out


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 50)), min_size=1, max_size=120))
def test_between_the_maxima_of_the_whole_and_of_half_the_window(pairs: list[tuple[int, int]]) -> None:
    samples = [float(sample) for _, sample in pairs]
    marks, out = filtered([step for step, _ in pairs], samples)
    for k in range(len(pairs)):
        ages = marks[k] - marks[: k + 1]
        seen = np.array(samples[: k + 1])
        assert out[k] <= seen[ages <= WINDOW].max()
        assert out[k] >= seen[ages <= WINDOW // 2].max()


def test_falling_samples_leave_one_by_one() -> None:
    """With one sample a mark, the filter of a falling sequence keeps the best of the window's older part."""
    _, out = filtered([1] * 40, list(range(100, 60, -1)))
    exact = [max(range(100 - k, min(101, 100 - k + WINDOW + 1))) for k in range(40)]
    assert out[0] == 100
    assert all(0 <= a - b <= WINDOW // 2 for a, b in zip(exact, out, strict=True))


def test_a_new_maximum_is_taken_at_once() -> None:
    _, out = filtered([1] * 6, [5, 4, 3, 9, 1, 1])
    assert list(out) == [5, 5, 5, 9, 9, 9]
