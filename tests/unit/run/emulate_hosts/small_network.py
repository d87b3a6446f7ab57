"""Real hosts for tests: a hub of hosts with addresses, and a user-space forwarder that needs no engine."""

from __future__ import annotations

import os
import selectors
import threading

from netarium.compile.hosts import Emulation, Interface, Neighbour, Program, RealHost, Route


def mac(number: int) -> str:
    return f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"


def address(number: int, version: int = 4) -> str:
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" if version == 4 else f"fd00::{number:x}"


def host(number: int, neighbours: tuple[int, ...] = (), **more: object) -> RealHost:
    """Host h<number>, with an address of each family on one interface, and neighbours at once beside it."""
    near = [Neighbour(address(n, version), mac(n), "eth0") for n in neighbours for version in (4, 6)]
    return RealHost(
        node=f"h{number}",
        node_index=number,
        interfaces=(
            Interface("eth0", mac(number), (f"{address(number)}/8", f"{address(number, 6)}/64"), 1500, 0, 1),
        ),
        routes=(
            Route("203.0.113.0/24", address(2 if number == 1 else 1), "eth0"),
            Route("default", "", "eth0"),
        ),
        neighbours=tuple(near),
        hostname=f"h{number}",
        **more,  # type: ignore[arg-type]
    )


def hub(count: int, programs: tuple[Program, ...] = (), **more: object) -> Emulation:
    """h1 to h<count>; each knows h1, and h1 knows h2."""
    hosts = tuple(host(n, (2,) if n == 1 and count > 1 else (1,)) for n in range(1, count + 1))
    names = {one.node: (address(one.node_index), address(one.node_index, 6)) for one in hosts}
    return Emulation(hosts, names, programs=programs, **more)  # type: ignore[arg-type]


class Forwarder(threading.Thread):
    """Carries every frame to the interface that has its destination address; drops the rest."""

    def __init__(self, attached: list) -> None:
        super().__init__(daemon=True)
        self._fds = {bytes.fromhex(one.interface.mac.replace(":", "")): one.fd for one in attached}
        self._ending, self._end = os.pipe()

    def run(self) -> None:
        selector = selectors.DefaultSelector()
        for fd in (*self._fds.values(), self._ending):
            os.set_blocking(fd, False)
            selector.register(fd, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == self._ending:
                    selector.close()
                    return
                frame = os.read(key.fd, 70000)
                to = self._fds.get(frame[:6])
                if to is not None:
                    os.write(to, frame)

    def __enter__(self) -> Forwarder:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._end, b"x")
        self.join()
        os.close(self._end)
        os.close(self._ending)
