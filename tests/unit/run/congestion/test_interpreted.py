"""Interpreted and compiled controls agree bit for bit on random ACKs, losses, timeouts and marks."""

from collections.abc import Iterator

import numpy as np
import pytest
from control_driver import COLUMN, MS_PS, OPEN, RECOVERY, SCRIPT, Control, Interpreter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netarium.run.kernel.congestion.codes import CODES, VERBS
from netarium.run.kernel.transport.features import HYSTART, PACED


@pytest.fixture(scope="module")
def interpreter() -> Iterator[Interpreter]:
    process = Interpreter()
    yield process
    process.close()


def random_script(seed: int, length: int) -> np.ndarray:
    """A connection's life, not always a sensible one: rising times, delivered bytes, losses, states."""
    rng = np.random.default_rng(seed)
    script = np.zeros((length, len(SCRIPT)), np.int64)
    column = {name: script[:, position] for name, position in COLUMN.items()}
    choices = np.array(
        [VERBS.index(verb) for verb in ("on_ack", "on_loss", "on_rto", "on_ecn", "on_recovered")]
    )
    column["verb"][:] = rng.choice(choices, length, p=[0.94, 0.02, 0.01, 0.01, 0.02])
    column["now_ps"][:] = np.cumsum(rng.integers(0, 200 * MS_PS, length))
    column["acked_bytes"][:] = 1000 * rng.integers(0, 4, length)
    column["lost_bytes"][:] = np.where(rng.random(length) < 0.05, 1000 * rng.integers(0, 9, length), 0)
    column["rtt_ps"][:] = np.where(rng.random(length) < 0.9, rng.integers(1, 90 * MS_PS, length), -1)
    column["srtt_ps"][:] = rng.integers(0, 90 * MS_PS, length)
    column["in_flight_bytes"][:] = 1000 * rng.integers(0, 60, length)
    column["prior_in_flight_bytes"][:] = column["in_flight_bytes"] + column["acked_bytes"]
    column["una"][:] = np.cumsum(column["acked_bytes"]) // 1000
    column["nxt"][:] = column["una"] + rng.integers(1, 60, length)
    column["prior_delivered_bytes"][:] = 1000 * np.maximum(column["una"] - rng.integers(0, 60, length), 0)
    column["rate_bytes"][:] = 1000 * rng.integers(0, 60, length)
    column["rate_interval_ps"][:] = np.where(
        rng.random(length) < 0.8, rng.integers(1, 90 * MS_PS, length), -1
    )
    column["app_limited"][:] = rng.random(length) < 0.1
    column["ece"][:] = rng.random(length) < 0.2
    column["ce_bytes"][:] = column["ece"] * column["acked_bytes"]
    column["in_recovery"][:] = rng.random(length) < 0.1
    column["cwnd_limited"][:] = rng.random(length) < 0.8
    column["state"][:] = np.where(rng.random(length) < 0.9, OPEN, RECOVERY)
    column["window_bytes"][:] = np.where(rng.random(length) < 0.03, 1000 * rng.integers(1, 90, length), 0)
    return script


@pytest.mark.parametrize("kind", list(CODES))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), features=st.sampled_from([0, HYSTART, HYSTART | PACED]))
def test_interpreted_and_compiled_agree(
    interpreter: Interpreter, kind: str, seed: int, features: int
) -> None:
    script = random_script(seed, 120)
    control = Control(CODES[kind], features=features)
    windows = control.play(script)
    record, interpreted = interpreter.play(CODES[kind], features, script)
    differing = np.flatnonzero((windows != interpreted).any(axis=1))
    assert differing.size == 0, (differing[0], script[differing[0]])
    assert control.bytes() == record
    assert windows[:, 0].min() > 0
    assert windows[:, 1].min() > 0
