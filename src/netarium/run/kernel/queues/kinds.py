"""Kind codes of queue disciplines, and what every one of them can be asked about its records."""

from __future__ import annotations

PFIFO, BFIFO, TBF, RED, CODEL, FQ_CODEL, PIE, CBS, ATS, USER = range(10)
"""Leaves: they hold packets."""
PRIO, DRR, HTB, MQPRIO, TAPRIO, CQF = range(10, 16)
"""Classful: they choose among leaves."""
STRICT, SHAPER = 16, 17
"""Of ports with slices: slices before best effort, which may be any of the kinds above."""
PSFP = 18
"""Before any of the kinds above."""
CLASS = 19
"""A class of drr, htb, taprio or the shaper, whose one child is a leaf; a neighbour of cqf."""
FLOW = 20
"""One of the queues inside fq_codel, ats, cqf or a user's discipline."""

LAST_LEAF = USER
LAST_CLASSFUL = CQF

NO_LIMIT_PACKETS = 2**31 - 1
NO_LIMIT_BYTES = 1 << 62
