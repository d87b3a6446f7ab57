"""A sender over one bottleneck in plain Python: FIFO queue, constant delay, arrivals known to the sender."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from control_driver import COLUMN, OPEN, RECOVERY, SECOND_PS, Control

from netarium.run.kernel.congestion import codes

ON_ACK, ON_LOSS, ON_RECOVERED = codes.ON_ACK, codes.ON_LOSS, codes.ON_RECOVERED


class Path:
    """A lost packet is replaced by a new one; an ACK for packet n says that those before n - 2 are lost."""

    def __init__(
        self,
        control: Control,
        *,
        rate_bps: float,
        rtt_ps: int,
        queue_packets: float = 1e9,
        loses: Callable[[int], bool] = lambda number: False,
    ) -> None:
        """loses: says for each packet number whether the path loses it."""
        self.control, self.rtt_ps, self.loses = control, rtt_ps, loses
        self.mss = control.mss_bytes
        self.packet_ps = int(8 * self.mss * SECOND_PS / rate_bps)
        self.limit_ps = queue_packets * self.packet_ps
        self.owns_recovery = codes.owns_recovery(int(control.conn.congestion))
        self.now_ps = self.busy_ps = self.pace_ps = self.wake_ps = 0
        self.delivered = self.delivered_ps = self.first_sent_ps = self.nxt = self.recovery_end = self.lost = 0
        self.min_rtt_ps = 1 << 60
        self.sent: dict[int, tuple[int, int, int, int]] = {}
        self.events: list[tuple[int, int]] = []
        self.on_sample: Callable[[Path], None] = lambda path: None

    @property
    def in_flight(self) -> int:
        """Bytes sent and neither delivered nor known lost."""
        return len(self.sent) * self.mss

    def run(self, until_ps: int) -> None:
        """Let time pass."""
        self.send()
        while self.events and self.events[0][0] <= until_ps:
            self.now_ps, number = heapq.heappop(self.events)
            if number >= 0 and number in self.sent:
                self.acknowledge(number)
            self.send()

    def send(self) -> None:
        """Send what window and pace let go."""
        conn = self.control.conn
        cwnd, pacing = int(conn.cwnd_bytes), int(conn.pacing)
        while self.in_flight + self.mss <= cwnd:
            if pacing and self.pace_ps > self.now_ps:
                if self.wake_ps <= self.now_ps:
                    self.wake_ps = self.pace_ps
                    heapq.heappush(self.events, (self.pace_ps, -1))
                return
            self.transmit(pacing)

    def transmit(self, pacing: int) -> None:
        """One packet to the bottleneck."""
        now = self.now_ps
        if not self.sent:
            self.first_sent_ps = self.delivered_ps = now
        self.sent[self.nxt] = (now, self.delivered, self.delivered_ps, self.first_sent_ps)
        if max(self.busy_ps - now, 0) <= self.limit_ps and not self.loses(self.nxt):
            self.busy_ps = max(self.busy_ps, now) + self.packet_ps
            heapq.heappush(self.events, (self.busy_ps + self.rtt_ps, self.nxt))
        self.nxt += 1
        self.pace_ps = max(self.pace_ps, now) + (((self.mss + 40) * pacing) >> 16)

    def acknowledge(self, number: int) -> None:
        """Packet `number` has arrived: what the core would do."""
        control, conn, now = self.control, self.control.conn, self.now_ps
        prior_in_flight = self.in_flight
        sent_ps, delivered, delivered_ps, first_sent_ps = self.sent.pop(number)
        lost = [other for other in self.sent if other < number - 2]
        for other in lost:
            del self.sent[other]
        self.lost += len(lost)
        self.delivered += self.mss
        self.delivered_ps, self.first_sent_ps = now, sent_ps
        self.min_rtt_ps = min(self.min_rtt_ps, now - sent_ps)
        interval_ps = max(sent_ps - first_sent_ps, now - delivered_ps)
        una = next(iter(self.sent), self.nxt)
        line = control.line(
            "on_ack",
            now_ps=now,
            acked_bytes=self.mss,
            lost_bytes=len(lost) * self.mss,
            rtt_ps=now - sent_ps,
            srtt_ps=now - sent_ps,
            prior_in_flight_bytes=prior_in_flight,
            in_flight_bytes=self.in_flight,
            prior_delivered_bytes=delivered,
            rate_bytes=self.delivered - delivered,
            rate_interval_ps=interval_ps if interval_ps >= self.min_rtt_ps else -1,
            una=una,
            nxt=self.nxt,
        )
        state = int(conn.state)
        if state == RECOVERY and una >= self.recovery_end:
            if not self.owns_recovery:
                conn.cwnd_bytes = conn.ssthresh_bytes
            state = self.verb(line, ON_RECOVERED, OPEN)
        if state == OPEN and lost:
            self.recovery_end = self.nxt
            state = self.verb(line, ON_LOSS, RECOVERY)
            if not self.owns_recovery:
                conn.cwnd_bytes = conn.ssthresh_bytes
        line[0, COLUMN["in_recovery"]] = state == RECOVERY
        self.verb(line, ON_ACK, state)
        conn.delivered_bytes = self.delivered
        self.on_sample(self)

    def verb(self, line, verb: int, state: int) -> int:
        """Call a verb; on_ack sees the new state, the others the state before."""
        line[0, COLUMN["verb"]] = verb
        line[0, COLUMN["state"]] = state if verb == ON_ACK else int(self.control.conn.state)
        acked = line[0, COLUMN["acked_bytes"]]
        self.control.conn.delivered_bytes = self.delivered - acked
        self.control.play(line)
        self.control.conn.state = state
        return state
