"""Feature bits of ports and kinds of scheduled changes; nothing here needs the compiler."""

from __future__ import annotations

SCHEDULED, IMPAIRED, TRACED, CAPTURED, DOWN, POLICED, HOST, SLICED = 1, 2, 4, 8, 16, 32, 64, 128
"""What makes a port more than a plain FIFO. SCHEDULED: has a discipline of its own. POLICED: slice traffic is policed on
entry. HOST: senders of this host wait their turn here. SLICED: slices' packets leave their sender's shaper here, and their
latency begins."""

PORT_DOWN, PORT_UP, ROUTES, IMPAIR = range(4)
"""Kinds of ACTION."""
