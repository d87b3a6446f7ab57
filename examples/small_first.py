"""Short jobs first: packets of flows that ask for little jump ahead of the rest. An example of a queue of one's own;
see docs/kinds/queues/user.md."""

LIMIT_PACKETS = 500
SMALL_BYTES = 300  # packets up to this size go first
PATIENCE_PS = 20_000_000_000  # 20 ms: what waited longer is dropped


def enqueue(queue, packet, now_ps):
    """The band that a packet joins: 0 is served first. A negative number drops it."""
    return 0 if packet.size_bytes <= SMALL_BYTES else 1


def dequeue(queue, packet, now_ps):
    """Called with the packet to be sent: 0 lets it pass, a negative number drops it."""
    return -1 if now_ps - packet.time_ps > PATIENCE_PS else 0
