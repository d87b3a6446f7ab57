"""The smallest trial there is, run once so that everything a trial needs is loaded and compiled."""

from __future__ import annotations

TRIAL = """
trial: warm-up
duration: 10 ms
network:
  nodes: {a: {kind: host}, b: {kind: host}}
  links: [{endpoints: [a, b], rate: 10 Mbit/s, delay: 1 ms}]
services:
  transfer: {kind: bulk, from: a, to: b}
probes: {interval: 5 ms}
"""


def warm_up() -> None:
    """Describe, compile, run and measure it."""
    from netarium.compile.compile import compile_trial
    from netarium.describe.loader import loads
    from netarium.measure.document import metrics_document
    from netarium.run.simulate import simulate

    trial = loads(TRIAL)
    metrics_document(simulate(compile_trial(trial)), trial, run="warm-up")
