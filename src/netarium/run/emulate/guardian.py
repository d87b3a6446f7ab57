"""The process that closes a run's TAP devices together, however it ends. A program of its own that imports nothing of netarium.

Removing a TAP device takes the kernel some 20 ms, nearly all of it waiting (for readers of old state, RCU), and a process that
is killed closes its descriptors one after another: 4,096 hosts would take 80 s to be gone. This process holds a copy of every
descriptor. When its socket says so, or ends because the run was killed, it closes all of them from many threads, which
share the waiting. It is alone in its session, so that Ctrl-C does not reach it.
"""

import array
import os
import signal
import socket
import sys
import threading

CLOSE = b"close"
DONE = b"done"
BATCH = 250  # descriptors in one message; the kernel's SCM_MAX_FD is 253
THREADS = 64


def main(channel: socket.socket) -> None:
    """Take descriptors until told to close, or until nobody is left on the other side."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    held: list[int] = []
    while True:
        try:
            data, ancillary, _, _ = channel.recvmsg(64, socket.CMSG_SPACE(BATCH * 4))
        except ConnectionError:  # it has ended without reading the last answer
            data, ancillary = b"", []
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(payload[: len(payload) - len(payload) % received.itemsize])
                held += received
        if data in (b"", CLOSE):
            close_all(held)
            if not data:
                return
            held = []
            try:
                channel.send(DONE)
            except OSError:
                return


def close_all(descriptors: list[int]) -> None:
    """Close descriptors from many threads at once."""
    count = min(THREADS, len(descriptors))

    def some(first: int) -> None:
        for descriptor in descriptors[first::count]:
            os.close(descriptor)

    threads = [threading.Thread(target=some, args=(first,)) for first in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    threading.stack_size(256 * 1024)
    main(socket.socket(fileno=int(sys.argv[1])))
