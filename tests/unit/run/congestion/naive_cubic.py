"""Linux' CUBIC and HyStart, slow and obvious: one Python object, whole segments, jiffies of 4 ms."""

from __future__ import annotations

from dataclasses import dataclass

JIFFY_PS, SECOND_PS, MS_PS = 4 * 10**9, 10**12, 10**9
FOREVER = 1 << 62


def cube_root(value: int) -> int:
    """By bisection."""
    low, high = 0, 1 << 22
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle)
    return low


@dataclass
class Naive:
    """cwnd and ssthresh in bytes; everything else in segments."""

    mss: int
    cwnd: int
    hystart: bool
    ssthresh: int = 1 << 60
    credit: int = 0
    una: int = 0
    newest_sent: int = 0
    idle: bool = False

    def __post_init__(self) -> None:
        self.forget(0, self.window)

    def forget(self, now: int, nxt: int) -> None:
        self.cost = self.top = self.seen_window = self.seen_at = self.origin = self.k = 0
        self.least_delay = self.unused_acks = self.reno_window = 0
        self.epoch: int | None = None
        self.found = False
        self.new_round(now, nxt)

    def new_round(self, now: int, nxt: int) -> None:
        self.round_at = self.train_at = now
        self.round_end, self.round_least, self.round_samples = nxt, FOREVER, 0

    @property
    def window(self) -> int:
        return max(self.cwnd // self.mss, 1)

    def on_ack(self, now: int, ack: dict[str, int]) -> None:
        jiffies = now // JIFFY_PS
        advanced = ack["una"] != self.una
        self.una = ack["una"]
        sent = now - ack["rtt_ps"] if ack["rtt_ps"] > 0 else None
        if sent is not None:
            if self.idle and self.epoch is not None:
                self.epoch = min(self.epoch + max((sent - self.newest_sent) // JIFFY_PS, 0), jiffies)
            self.newest_sent = sent
        self.idle = ack["in_flight_bytes"] == 0
        if sent is not None and (self.epoch is None or jiffies - self.epoch >= 250):
            delay = now - sent
            self.least_delay = min(self.least_delay or FOREVER, delay)
            if self.hystart and not self.found and self.cwnd < self.ssthresh:
                self.look_for_the_end(now, delay, ack)
        if not ack["cwnd_limited"] or ack["in_recovery"] or ack["ece"] or not advanced:
            return
        acked = ack["acked_bytes"] // self.mss
        while acked and self.cwnd < self.ssthresh:  # slow start
            self.cwnd = min(self.cwnd + self.mss, self.ssthresh)
            acked -= 1
        if acked:
            self.set_cost(jiffies, acked)
            self.grow(acked)

    def look_for_the_end(self, now: int, delay: int, ack: dict[str, int]) -> None:
        if ack["una"] > self.round_end:
            self.new_round(now, ack["nxt"])
        if self.cwnd < 16 * self.mss:
            return
        if now - self.train_at <= 2 * MS_PS:
            self.train_at = now
            cushion = min(4 * 65536 * ack["srtt_ps"] // (2 * self.cwnd), MS_PS)
            longest = self.least_delay + cushion
            if now - self.round_at > (longest if ack["paced"] else longest // 2):
                self.found = True
        self.round_least = min(self.round_least, delay)
        if self.round_samples == 8:
            rise = min(max(self.least_delay // 8, 4 * MS_PS), 16 * MS_PS)
            if self.round_least > self.least_delay + rise:
                self.found = True
        else:
            self.round_samples += 1
        if self.found:
            self.ssthresh = self.cwnd

    def set_cost(self, jiffies: int, acked: int) -> None:
        window = self.window
        self.unused_acks += acked
        if window == self.seen_window and jiffies - self.seen_at <= 7:
            return
        if self.epoch is None or jiffies != self.seen_at:
            self.seen_window, self.seen_at = window, jiffies
            if self.epoch is None:
                self.epoch, self.unused_acks, self.reno_window = jiffies, acked, window
                above = max(self.top - window, 0)
                self.k = cube_root((1 << 40) // 410 * above)
                self.origin = max(self.top, window)
            after = self.origin + self.by_cube(jiffies)
            self.cost = window // (after - window) if after > window else 100 * window
            if self.top == 0:
                self.cost = min(self.cost, 20)
        eighths = window * 15 // 8
        while self.unused_acks > eighths:
            self.unused_acks -= eighths
            self.reno_window += 1
        if self.reno_window > window:
            self.cost = min(self.cost, window // (self.reno_window - window))
        self.cost = max(self.cost, 2)

    def by_cube(self, jiffies: int) -> int:
        """C (t - K)^3 segments a round trip from now, C = 410 / 1024 and time in 1/1024 s; at most that of 256 s."""
        ahead = jiffies - self.epoch - (-self.least_delay // JIFFY_PS)
        offset = ahead * 1024 // 250 - self.k
        step = 410 * min(abs(offset), 1 << 18) ** 3 // (1024 * 1024**3)
        return step if offset >= 0 else -step

    def grow(self, acked: int) -> None:
        if self.credit >= self.cost:
            self.credit = 0
            self.cwnd += self.mss
        self.credit += acked
        while self.credit >= self.cost:
            self.credit -= self.cost
            self.cwnd += self.mss

    def on_loss(self) -> None:
        window = self.window
        self.top = window * 1741 // 2048 if window < self.top else window
        self.epoch, self.credit = None, 0
        self.ssthresh = max(window * 717 // 1024, 2) * self.mss

    def on_rto(self, now: int, nxt: int, in_recovery: bool) -> None:
        if not in_recovery:
            self.on_loss()
        self.credit = 0
        self.forget(now, nxt)

    def on_ecn(self) -> None:
        self.on_loss()
        self.cwnd = self.ssthresh
