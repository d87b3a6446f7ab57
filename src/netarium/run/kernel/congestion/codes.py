"""Numbers of the congestion controls and of their verbs; nothing here needs the compiler."""

from __future__ import annotations

RENO, CUBIC, CUBIC_RFC9438, BBR, DCTCP, USER = range(6)
CODES = {"reno": RENO, "cubic": CUBIC, "cubic_rfc9438": CUBIC_RFC9438, "bbr": BBR, "dctcp": DCTCP}
"""The trial's word -> CONN.congestion; a control from a user's file is USER."""

VERBS = ("init", "on_ack", "on_loss", "on_rto", "on_ecn", "on_recovered")
"""What a control can do; the order of the user functions behind conn.hook (address 0: the file has none)."""
INIT, ON_ACK, ON_LOSS, ON_RTO, ON_ECN, ON_RECOVERED = range(6)

OWN_RECOVERY = frozenset({BBR})
"""Built-in controls that set cwnd in recovery themselves; a user's file says so by OWNS_RECOVERY = True."""


def owns_recovery(kind: int) -> bool:
    """Whether the built-in control of that number sets cwnd in recovery itself."""
    return kind in OWN_RECOVERY
