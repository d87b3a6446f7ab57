"""Whether more of a metric is better, less is, or neither: what "leads" and "best" mean in a campaign."""

from __future__ import annotations

MORE = ("goodput", "throughput", "bandwidth", "delivered", "completed", "jain", "utilisation", "efficiency")
LESS = (
    "loss",
    "lost",
    "latency",
    "rtt",
    "delay",
    "completion",
    "slowdown",
    "retransmissions",
    "timeouts",
    "drops",
    "queue",
    "wait",
    "misses",
    "stall",
)


def better(metric: str) -> int:
    """+1 when more of "service.metric" is better, -1 when less is, 0 when it cannot be said.

    The first word of the name that says so decides, the service's name apart: flow.completion.p99 is -1.
    """
    owner, _, name = metric.partition(".")
    if owner == "links":
        name = name.rpartition(".")[2]
    for word in name.replace(".", "_").split("_"):
        if word in LESS:
            return -1
        if word in MORE:
            return 1
    return 0
