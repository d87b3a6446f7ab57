"""What services may ask for is bounded by what the engine can count; beyond it, a mistake that says where the bound lies."""

from __future__ import annotations

import pytest

import netarium
from netarium.compile.compile import compile_trial
from netarium.errors import TrialInvalid

TRIAL = """
trial: slow
duration: 10 min
network:
  nodes: {a: {kind: host}, b: {kind: host}}
  links: [{endpoints: [a, b], rate: 1 Mbit/s, delay: 1 ms}]
services:
  beacon: {kind: stream, from: a, to: b, rate: RATE, packet_size: 1250 B}
"""


def test_a_packet_every_hundred_seconds_can_be_sent() -> None:
    compile_trial(netarium.loads(TRIAL.replace("RATE", "100 bit/s")))


def test_a_slower_stream_is_refused_with_the_least_rate() -> None:
    with pytest.raises(TrialInvalid, match=r"services\.beacon\.rate: found .*99 bit/s.* 100 bit/s or more"):
        compile_trial(netarium.loads(TRIAL.replace("RATE", "99 bit/s")))
