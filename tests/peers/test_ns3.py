"""The dumbbell against ns-3 (3.44, from its wheel): goodput, drops and mean queue, with the same TCP options on both sides.

ns-3 takes minutes where this takes a second, so its results are kept beside this file; `python -m bench.ns3_reference` makes
them again. What is compared is counted from the end of slow start on. Tolerances and their reasons:

- Goodput: 0.5 %, after allowing for the two bytes of ns-3's PPP header on each packet of 1,500 bytes. Both fill the link.
- Reno (ns-3: TcpLinuxReno): drops 25 %, mean queue 10 %. A run sees some dozens of loss epochs, in which flows reduce
  together or one by one as small differences in timing have it.
- NewReno (ns-3: TcpNewReno) grows by a segment per *ACKs* of a window, so half as fast under delayed ACKs; RFC 3465 counts
  bytes, and so does netarium. Compared with an ACK for each segment, where both count the same.
- CUBIC, that of RFC 9438 (cubic_rfc9438): mean queue 15 %, drops a factor of 2.5. Where windows are small (100 Mbit/s) ns-3
  drops twice as much: its Reno region grows by about a segment a round trip, not by alpha = 9/17 of one (drops times window
  squared is 1.85 times that of its own Reno; alpha = 1 would give 1.89). Without that region (TcpFriendliness=false) it drops
  240 packets in `cubic-10` instead of 871. Its HyStart and how it adds up credit for growth make no difference here. At
  1 Gbit/s there are some dozen drops in all.
- CUBIC in Reno's region must answer loss as Reno does (RFC 9438 section 4.3): drops times window squared, against ns-3's
  TcpLinuxReno, within 25 %.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from netarium.compile.compile import compile_trial
from netarium.describe.loader import load
from netarium.run.fill import fill
from netarium.run.kernel import loop

HERE = Path(__file__).parent
TRIAL = HERE.parents[1] / "examples/dumbbell.trial.yml"
CASES = json.loads((HERE / "ns3_reference.json").read_text())["cases"]
CONGESTION = {"TcpCubic": "cubic_rfc9438", "TcpLinuxReno": "reno", "TcpNewReno": "reno"}
PPP_BYTES, PACKET_BYTES = 2, 1500
ROUND_TRIP_S = 0.02004


@dataclass(frozen=True)
class Measured:
    """What both sides count at the bottleneck after `warm` seconds."""

    goodput_bps: float
    drops: float
    queue_packets_mean: float


def peer(name: str) -> Measured:
    """ns-3's results of a case, goodput as it were without its PPP header."""
    measured = CASES[name]["measured"]
    goodput_bps = measured["goodput_bps"] * (PACKET_BYTES + PPP_BYTES) / PACKET_BYTES
    return Measured(goodput_bps, measured["drops"], measured["queue_packets_mean"])


@cache
def ours(name: str) -> Measured:
    """The bundled dumbbell with the options of a case."""
    options: dict[str, Any] = CASES[name]["options"]
    changes = [
        f"network.topology.left={options['flows']}",
        f"network.topology.rate={options['mbit']} Mbit/s",
        f"network.topology.queue.limit={options['queue']}",
        f"transport.congestion={CONGESTION[options['congestion']]}",
        f"transport.delayed_ack={{every: {options.get('ack-every', 2)}}}",
        f"duration={options['seconds']} s",
        "expect=[]",
    ]
    plan = compile_trial(load(TRIAL, changes))
    run = fill(plan)
    memory, port = run.memory, plan.graph.port_index["left->right"]

    def counts_at(second: int) -> tuple[int, int, int]:
        while (status := loop.run(memory.handle, second * 10**12)) != loop.REACHED:
            run.grow(loop.GROWS[status])
        delivered = int(memory.services["delivered_bytes"].sum())
        return delivered, int(memory.drops[port].sum()), int(memory.ports[port]["queue_time_ps"])

    before, after = counts_at(options["warm"]), counts_at(options["seconds"])
    seconds = options["seconds"] - options["warm"]
    delivered, drops, waited_ps = (last - first for first, last in zip(before, after, strict=True))
    return Measured(delivered * 8 / seconds, drops, waited_ps / 1e12 / seconds)


def response(measured: Measured, options: dict[str, Any]) -> float:
    """Drops times the square of a flow's mean window: what a congestion control's response function fixes."""
    in_flight = options["mbit"] * 1e6 * ROUND_TRIP_S / (8 * PACKET_BYTES)
    return measured.drops * ((in_flight + measured.queue_packets_mean) / options["flows"]) ** 2


@pytest.mark.parametrize("name", CASES)
def test_goodput(name: str) -> None:
    assert ours(name).goodput_bps == pytest.approx(peer(name).goodput_bps, rel=0.005)


@pytest.mark.parametrize("name", ["linux-reno-4", "linux-reno-10"])
def test_reno_drops_and_queue(name: str) -> None:
    assert ours(name).drops == pytest.approx(peer(name).drops, rel=0.25)
    assert ours(name).queue_packets_mean == pytest.approx(peer(name).queue_packets_mean, rel=0.10)


@pytest.mark.parametrize("name", ["cubic-4", "cubic-10", "cubic-10-gigabit"])
def test_cubic_drops_and_queue(name: str) -> None:
    assert peer(name).drops / 2.5 < ours(name).drops < peer(name).drops * 2.5
    assert ours(name).queue_packets_mean == pytest.approx(peer(name).queue_packets_mean, rel=0.15)


def test_cubic_answers_loss_as_reno_does_where_it_is_to_be_friendly() -> None:
    options = CASES["cubic-10"]["options"]
    assert response(ours("cubic-10"), options) == pytest.approx(
        response(peer("linux-reno-10"), options), rel=0.25
    )


@pytest.mark.peer
@pytest.mark.skipif("NETARIUM_NS3" not in os.environ, reason="NETARIUM_NS3 names no Python that has ns3")
def test_ns3_gives_the_reference_again() -> None:
    case = CASES["linux-reno-4"]
    words = [word for name, value in case["options"].items() for word in (f"--{name}", str(value))]
    script = HERE.parents[1] / "bench/peers/ns3_dumbbell.py"
    ran = subprocess.run(
        [os.environ["NETARIUM_NS3"], script, *words], capture_output=True, text=True, check=True
    )
    measured = json.loads(ran.stdout.splitlines()[-1])
    assert {name: measured[name] for name in case["measured"]} == pytest.approx(case["measured"], rel=0.01)
