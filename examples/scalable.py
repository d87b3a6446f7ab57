"""Scalable TCP (Tom Kelly, 2003): the window grows and shrinks by shares of itself, so recovery takes the same time
at every rate. An example of a congestion control of one's own; see docs/kinds/congestion/own.md."""

GROWTH = 0.01  # of every byte acknowledged
CUT = 0.125  # of the window, at a loss


def on_ack(conn, ack, now_ps):
    """Called at every acknowledgement: sets conn.cwnd_bytes."""
    if ack.in_recovery or not ack.cwnd_limited:
        return
    if conn.cwnd_bytes < conn.ssthresh_bytes:
        conn.cwnd_bytes += ack.acked_bytes
    else:
        conn.cwnd_bytes += int(GROWTH * ack.acked_bytes)


def on_loss(conn, ack, now_ps):
    """Called once when packets were lost: sets conn.ssthresh_bytes, to which the window falls."""
    conn.ssthresh_bytes = max(int(conn.cwnd_bytes * (1 - CUT)), 2 * conn.mss_bytes)
