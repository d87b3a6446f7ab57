"""The largest of recent samples, from three remembered ones (Kathleen Nichols' filter: Linux's win_minmax.h).

An exact answer needs every sample of the window. The filter remembers the best one, the best since about a
quarter of the window later and the best since about half of it, so that when the best one leaves the window
a successor is known. The result is never above the true maximum, nor below that of the last half window.
"""

from __future__ import annotations

from ..jit import kernel


@kernel
def fill(conn, slot, age, first, sample, now):
    """Let the sample be the remembered ones from `first` (0 to 2) on."""
    for k in range(first, 3):
        conn.f[slot + k] = sample
        conn.i[age + k] = now


@kernel
def forget_best(conn, slot, age, sample, now):
    """The best one has left the window: the others move up."""
    for k in range(2):
        conn.f[slot + k] = conn.f[slot + k + 1]
        conn.i[age + k] = conn.i[age + k + 1]
    fill(conn, slot, age, 2, sample, now)


@kernel
def add(conn, slot, age, window, sample, now):
    """A sample at mark `now`, not before the last one. The largest of the last `window` is then conn.f[slot].

    slot, age: first of three slots of conn.f (values) and of conn.i (their marks: rounds, or times).
    """
    if sample >= conn.f[slot] or now - conn.i[age + 2] > window:
        fill(conn, slot, age, 0, sample, now)
        return
    if sample >= conn.f[slot + 1]:
        fill(conn, slot, age, 1, sample, now)
    elif sample >= conn.f[slot + 2]:
        fill(conn, slot, age, 2, sample, now)
    since = now - conn.i[age]
    if since > window:
        forget_best(conn, slot, age, sample, now)
        if now - conn.i[age] > window:
            forget_best(conn, slot, age, sample, now)
    elif conn.i[age + 1] == conn.i[age] and since > window // 4:
        fill(conn, slot, age, 1, sample, now)
    elif conn.i[age + 2] == conn.i[age + 1] and since > window // 2:
        fill(conn, slot, age, 2, sample, now)
