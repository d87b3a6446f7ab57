"""Drives one congestion control without an engine: its verbs, and scripts of ACKs replayed in both modes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from netarium.run.kernel import records as r
from netarium.run.kernel.congestion import codes, dispatch
from netarium.run.kernel.jit import kernel
from netarium.run.kernel.memory import Memory, as_sim

OPEN, RECOVERY = 2, 3
MS_PS = 1_000_000_000
SECOND_PS = 1_000_000_000_000
UNLIMITED = 1 << 60
SCRIPT = (
    "verb", "now_ps", "acked_bytes", "lost_bytes", "rtt_ps", "prior_in_flight_bytes", "in_flight_bytes",
    "prior_delivered_bytes", "rate_bytes", "rate_interval_ps", "app_limited", "ce_bytes", "ece", "una", "nxt",
    "in_recovery", "cwnd_limited", "state", "srtt_ps", "window_bytes",
)  # fmt: skip
"""Columns of a script; window_bytes above 0 sets the window as the core would."""
COLUMN = {name: position for position, name in enumerate(SCRIPT)}


@kernel
def step(sim, verb, now_ps):
    """One verb on connection 0."""
    conn, ack = sim.conns[0], sim.acks[0]
    if verb == codes.ON_ACK:
        dispatch.on_ack(sim.hooks, conn, ack, now_ps)
    elif verb == codes.INIT:
        dispatch.init(sim.hooks, conn, ack, now_ps)
    elif verb == codes.ON_LOSS:
        dispatch.on_loss(sim.hooks, conn, ack, now_ps)
    elif verb == codes.ON_RTO:
        dispatch.on_rto(sim.hooks, conn, ack, now_ps)
    elif verb == codes.ON_ECN:
        dispatch.on_ecn(sim.hooks, conn, ack, now_ps)
    else:
        dispatch.on_recovered(sim.hooks, conn, ack, now_ps)


@kernel(entry=True)
def play(address, script, windows):
    """Every line of a script; windows: cwnd, ssthresh and pacing after each."""
    sim = as_sim(address)
    conn, ack = sim.conns[0], sim.acks[0]
    for k in range(len(script)):
        line = script[k]
        now_ps = line[1]
        ack.acked_bytes = line[2]
        ack.acked_segments = line[2] // conn.mss_bytes
        ack.lost_bytes = line[3]
        ack.rtt_ps = line[4]
        ack.newest_sent_ps = now_ps - line[4] if line[4] > 0 else r.NONE
        ack.prior_in_flight_bytes = line[5]
        conn.in_flight_bytes = line[6]
        ack.prior_delivered_bytes = line[7]
        ack.rate_bytes = line[8]
        ack.rate_interval_ps = line[9]
        ack.app_limited = line[10]
        ack.ce_bytes = line[11]
        ack.ece = line[12]
        ack.una = line[13]
        ack.prior_una = conn.una
        conn.una = line[13]
        conn.nxt = line[14]
        ack.in_recovery = line[15]
        ack.cwnd_limited = line[16]
        conn.state = line[17]
        conn.srtt_ps = line[18]
        if line[19] > 0:
            conn.cwnd_bytes = line[19]
        conn.delivered_bytes += ack.acked_bytes
        step(sim, line[0], now_ps)
        windows[k, 0] = conn.cwnd_bytes
        windows[k, 1] = conn.ssthresh_bytes
        windows[k, 2] = conn.pacing


class Control:
    """One connection under one congestion control."""

    def __init__(
        self,
        kind: int,
        *,
        mss_bytes: int = 1000,
        segments: int = 10,
        features: int = 0,
        addresses: Any = (0,) * 6,
    ) -> None:
        """segments: initial window. addresses: a user's functions."""
        self.conns, self.acks = np.zeros(1, r.CONN), np.zeros(1, r.ACK_SAMPLE)
        self.memory = Memory(conns=self.conns, acks=self.acks, hooks=np.array(addresses, np.int64))
        self.conn, self.ack = self.conns[0], self.acks[0]
        self.mss_bytes = mss_bytes
        self.conn.congestion, self.conn.features, self.conn.hash = kind, features, 0x1234567
        self.conn.mss_bytes, self.conn.header_bytes = mss_bytes, 40
        self.conn.cwnd_bytes, self.conn.ssthresh_bytes = segments * mss_bytes, UNLIMITED
        self.conn.state, self.conn.min_rtt_ps = OPEN, UNLIMITED
        self.now_ps = 0
        self.una = 0
        self.play(self.line("init"))

    @property
    def segments(self) -> float:
        """The window in segments."""
        return self.conn.cwnd_bytes / self.mss_bytes

    def line(self, verb: str, **columns: int) -> np.ndarray:
        """One line of a script: the connection as it is, and what the arguments change."""
        values = dict.fromkeys(SCRIPT, 0) | {
            "verb": codes.VERBS.index(verb),
            "now_ps": self.now_ps,
            "rtt_ps": -1,
            "rate_interval_ps": -1,
            "in_flight_bytes": int(self.conn.in_flight_bytes),
            "una": self.una,
            "nxt": self.una + max(int(self.conn.cwnd_bytes) // self.mss_bytes, 1),
            "cwnd_limited": 1,
            "state": int(self.conn.state),
            "srtt_ps": int(self.conn.srtt_ps),
        }
        assert columns.keys() <= values.keys(), columns
        return np.array([[(values | columns)[name] for name in SCRIPT]], np.int64)

    def play(self, script: np.ndarray) -> np.ndarray:
        """Run a script; cwnd, ssthresh and pacing after each line."""
        windows = np.zeros((len(script), 3), np.int64)
        play(self.memory.handle, script, windows)
        return windows

    def acks_of(self, count: int, every_ps: int, segments: int = 1, **columns: int) -> np.ndarray:
        """`count` ACKs of `segments` segments each, `every_ps` apart; cwnd, ssthresh, pacing after each."""
        script = np.repeat(self.line("on_ack", acked_bytes=segments * self.mss_bytes, **columns), count, 0)
        steps = np.arange(1, count + 1)
        script[:, COLUMN["now_ps"]] += steps * every_ps
        script[:, COLUMN["una"]] += steps * segments
        script[:, COLUMN["nxt"]] += steps * segments
        self.now_ps += count * every_ps
        self.una += count * segments
        return self.play(script)

    def do(self, verb: str, **columns: int) -> None:
        """One verb now."""
        self.play(self.line(verb, **columns))

    def lose(self) -> None:
        """A loss, repaired in no time: the core's part in it, too."""
        self.do("on_loss")
        self.conn.cwnd_bytes = self.conn.ssthresh_bytes
        self.do("on_recovered")

    def bytes(self) -> bytes:
        """The connection's record."""
        return self.conns.tobytes()


class Interpreter:
    """Another process, in which kernels are plain Python; it plays scripts and tells what came of them."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"NETARIUM_JIT": "0", "PYTHONWARNINGS": "error"},
        )

    def play(self, kind: int, features: int, script: np.ndarray) -> tuple[bytes, np.ndarray]:
        """The record and the windows after a script."""
        pickle.dump((kind, features, script), self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def serve() -> None:
    """Answer requests until the input ends."""
    while True:
        try:
            kind, features, script = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        control = Control(kind, features=features)
        windows = control.play(script)
        pickle.dump((control.bytes(), windows), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
