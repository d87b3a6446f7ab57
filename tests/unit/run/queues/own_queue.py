"""A queue such as a user might write: small packets first, some large ones lost by chance, none too late."""

LIMIT_PACKETS = 40
SMALL_BYTES = 400
CHANCE = 0.05
PATIENCE_PS = 2_000_000_000


def enqueue(queue, packet, now_ps):
    if packet.size_bytes < SMALL_BYTES:
        return 0
    if queue.f[5] < CHANCE:
        return -1
    if queue.packets > LIMIT_PACKETS // 2 and packet.ecn != 0:
        packet.ecn = 3
    queue.i[8] += 1
    return 1 + queue.i[8] % 2


def dequeue(queue, packet, now_ps):
    queue.f[0] += 0.5
    return -1 if now_ps - packet.time_ps > PATIENCE_PS else 0


def select(queue, packet, now_ps):
    if queue.i[0] > 0:
        return 0
    return 2 if queue.i[2] > queue.i[1] else 1
