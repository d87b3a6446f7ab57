"""Kind codes of queue disciplines, and what every one of them can be asked about its records."""

from __future__ import annotations

PFIFO, BFIFO, TBF, RED, CODEL, FQ_CODEL, PIE, USER = range(8)
"""Leaves: they hold packets."""
PRIO, DRR, HTB = 8, 9, 10
"""Classful: they choose among leaves."""
STRICT, SHAPER = 11, 12
"""Of ports with slices: slices before best effort, which may be any of the kinds above."""
CLASS = 13
"""A class of drr, htb or the shaper; its one child is a leaf."""
FLOW = 14
"""One of the queues inside fq_codel or a user's discipline."""

LAST_LEAF = USER
LAST_CLASSFUL = HTB

NO_LIMIT_PACKETS = 2**31 - 1
NO_LIMIT_BYTES = 1 << 62
