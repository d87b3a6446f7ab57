"""Services played by programs: what runs on which real host, and which frames are whose traffic.

bulk and stream: iperf3, a server and a client for each pair of hosts. request_response: netarium's own HTTP server and
client (run/emulate/services/). command: the user's own program.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from netarium.compile.graph import Graph
from netarium.compile.hosts import BEFORE_PS, NEVER_PS, FlowRule, Program, Ready, RealHost
from netarium.compile.keys import stream_key
from netarium.units import SECOND_PS

PORT_FIRST = 5201
"""iperf3's own port; every server gets the next one, so that ports tell services apart."""
STREAMS_MAX = 128
"""MAX_STREAMS of iperf3 (iperf_config): the most parallel streams of one client."""
TCP, UDP, ICMP, ICMP6, ANY = 6, 17, 1, 58, 0
"""Protocol numbers (IANA)."""
PROTOCOLS = {"tcp": (TCP,), "udp": (UDP,), "icmp": (ICMP, ICMP6), "any": (ANY,)}
UDP_IP_HEADERS = 28
PACING_US, PACING_US_MAX = 1000, 100_000
"""iperf3's pacing timer, by which it holds a rate, unless stated; the longest it is given."""
TCP_SEGMENT_HEADERS = 52
SERVER_WITHIN_PS = 10 * SECOND_PS
REPORT_PS = SECOND_PS
"""What an iperf3 client gets after its end to fetch the server's report, where the trial goes on so long."""
PYTHON, PROGRAMS = "{python}", "{programs}"
_ADDRESS = "{address of %d}"
_PLACE = re.compile(r"\{address of (\d+)\}")


@dataclass
class Programs:
    """Collects programs and rules while the compiler walks through the real services."""

    trial: Any
    graph: Graph
    programs: list[Program] = field(default_factory=list)
    rules: list[FlowRule] = field(default_factory=list)
    packages: set[tuple[str, str]] = field(default_factory=set)
    _port: int = PORT_FIRST

    def add(self, index: int, name: str, service: Any, band: int, pair_of: Any, table: Any) -> None:
        """The programs of one service. pair_of(src, dst): row of the plan's pairs. table(): (points of the sizes' CDF,
        arrivals of each pair per second) of a request_response service."""
        if service.kind == "command":
            self._command(index, name, service, band, pair_of)
        elif service.kind == "request_response":
            self._requests(index, name, service, band, pair_of, *table())
        else:
            self._iperf3(index, name, service, band, pair_of)

    def resolved(self, hosts: Iterable[RealHost]) -> Iterator[Program]:
        """The programs with the addresses of the hosts in their arguments."""
        first = {host.node_index: _first_address(host) for host in hosts}
        for program in self.programs:
            if program.role == "command":
                yield program
                continue
            argv = [_PLACE.sub(lambda match: first[int(match[1])], word) for word in program.argv]
            yield replace(program, argv=tuple(argv))

    # -- one method per program

    def _command(self, index: int, name: str, service: Any, band: int, pair_of: Any) -> None:
        ready = service.ready
        self.programs.append(
            Program(
                name=name,
                service=index,
                node=service.node,
                argv=service.argv,
                env=tuple(service.env.items()),
                cwd=service.cwd or "",
                start_ps=service.start,
                after=service.after,
                ready=ready
                and Ready(
                    port=ready.port or 0, line=ready.line or "", file=ready.file or "", within_ps=ready.within
                ),
                stop_signal=service.stop_signal,
                time_limit_ps=NEVER_PS if service.time_limit is None else service.time_limit,
                memory_bytes=service.memory,
                exit_code=None if service.exit_code == "any" else service.exit_code,
                writable=service.writable,
            )
        )
        if service.to is not None:
            pair = pair_of(service.node, service.to)
            for protocol in PROTOCOLS[service.protocol]:
                self._rule(index, service.node, service.to, protocol, service.port or 0, band, pair)

    def _rule(
        self,
        index: int,
        src: str,
        dst: str,
        protocol: int,
        port: int,
        band: int,
        pair: int = -1,
        *,
        answers: bool = False,
    ) -> None:
        a, b = self.graph.node_index[src], self.graph.node_index[dst]
        self.rules.append(FlowRule(index, a, b, protocol, port, band, pair, answers))

    def _iperf3(self, index: int, name: str, service: Any, band: int, pair_of: Any) -> None:
        self.packages.add(("iperf3", "iperf3"))
        transport = self.trial.transport_of(name)
        protocol = UDP if transport.kind == "udp" else TCP
        for number, (src, dst, streams) in enumerate(self._shared(name, service)):
            port = self._next_port()
            server, client = f"{name}.server{number}", f"{name}.client{number}"
            self.programs.append(
                Program(
                    server, index, dst, ("iperf3", "-s", "-1", "-p", str(port)),
                    ready=Ready(port=port, within_ps=SERVER_WITHIN_PS), exit_code=None, role="server", start_ps=BEFORE_PS,
                )
            )  # fmt: skip
            argv = (*self._client(service, transport, dst, port, streams),)
            self.programs.append(
                Program(
                    client, index, src, argv, start_ps=service.start, after=(server,), stop_ps=self._cut(service),
                    stop_signal="INT", role="client", results="iperf3",
                )
            )  # fmt: skip
            self._rule(index, src, dst, protocol, port, band, pair_of(src, dst))

    def _stop(self, service: Any) -> int:
        return min(service.stop or self.trial.duration, self.trial.duration)

    def _cut(self, service: Any) -> int:
        """When a client is stopped: at its stop; where iperf3 itself stops then (whole seconds), after its report."""
        stop = self._stop(service)
        by_itself = service.size is None and (stop - service.start) % SECOND_PS == 0
        return stop + REPORT_PS if by_itself and stop + REPORT_PS <= self.trial.duration else stop

    def _shared(self, name: str, service: Any) -> Iterator[tuple[str, str, int]]:
        """(source, target, parallel streams) of every client; more than iperf3 takes are several clients'."""
        each = getattr(service, "streams", 1)
        for (src, dst), count in Counter(self.trial.endpoints(name)).items():
            left = count * each
            while left:
                streams = min(left, STREAMS_MAX)
                yield src, dst, streams
                left -= streams

    def _client(self, service: Any, transport: Any, dst: str, port: int, streams: int) -> Iterator[str]:
        node = self.graph.node_index[dst]
        yield from ("iperf3", "-c", _ADDRESS % node, "-p", str(port), "-J", "-P", str(streams))
        if service.size is not None:
            total = service.size * (
                streams if service.kind == "stream" else self._transfers(service, streams)
            )
            yield from ("-n", str(round(total)))
        else:
            stop = self._stop(service)
            yield from ("-t", str(math.ceil((stop - service.start) / SECOND_PS)))
        if transport.kind == "udp":
            payload = (service.packet_size or self._mtu(dst)) - UDP_IP_HEADERS
            rate = service.rate * payload / (payload + UDP_IP_HEADERS)
            yield from ("-u", "-b", str(round(rate)), "-l", str(payload), "--udp-counters-64bit")
            yield from _pacing(payload, rate, streams)
            return
        yield from ("-C", transport.congestion)
        if transport.mss is not None:
            yield from ("-M", str(transport.mss))
        buffers = {size for size in (transport.send_buffer, transport.receive_buffer) if size != "auto"}
        if buffers:
            yield from ("-w", str(min(buffers)))
        if service.kind == "stream":
            segment = (service.packet_size or self._mtu(dst)) - TCP_SEGMENT_HEADERS
            rate = service.rate * segment / (segment + TCP_SEGMENT_HEADERS)
            yield from ("-b", str(round(rate)), "-l", str(segment))
            yield from _pacing(segment, rate, streams)

    @staticmethod
    def _transfers(service: Any, streams: int) -> float:
        """How many transfers of the stated size these streams are: one is split over `streams` of them."""
        return streams / service.streams

    def _mtu(self, node: str) -> int:
        """The least MTU of the network's ports, which every path can carry."""
        return int(self.graph.mtu_bytes.min())

    def _requests(
        self,
        index: int,
        name: str,
        service: Any,
        band: int,
        pair_of: Any,
        points: np.ndarray,
        per_second: float,
    ) -> None:
        transport = self.trial.transport_of(name)
        ends = Counter(self.trial.endpoints(name))
        ports: dict[str, int] = {}
        for src in dict.fromkeys(src for src, _ in ends):
            ports[src] = port = self._next_port()
            argv = (PYTHON, "-I", "-S", f"{PROGRAMS}/http_server.py", str(port), transport.congestion)
            self.programs.append(
                Program(
                    f"{name}.server.{src}", index, src, argv,
                    ready=Ready(port=port, within_ps=SERVER_WITHIN_PS), exit_code=None, role="server", start_ps=BEFORE_PS,
                )
            )  # fmt: skip
        stop = self._stop(service)
        for dst in dict.fromkeys(dst for _, dst in ends):
            servers = [(src, count) for (src, other), count in ends.items() if other == dst]
            asked = {
                "servers": [
                    [_ADDRESS % self.graph.node_index[src], ports[src], count] for src, count in servers
                ],
                "arrivals_per_s": per_second * sum(count for _, count in servers),
                "request_bytes": service.request,
                "sizes": points.tolist(),
                "seconds": (stop - service.start) / SECOND_PS,
                "seed": stream_key(self.trial.seed, "service", name, "client", dst) % 2**63,
            }
            argv = (PYTHON, "-I", "-S", f"{PROGRAMS}/http_client.py", json.dumps(asked))
            self.programs.append(
                Program(
                    f"{name}.client.{dst}", index, dst, argv, start_ps=service.start,
                    after=tuple(f"{name}.server.{src}" for src, _ in servers), stop_ps=stop,
                    stop_signal="INT", role="client", results="requests",
                )
            )  # fmt: skip
            for src, _ in servers:
                self._rule(index, dst, src, TCP, ports[src], band, pair_of(src, dst), answers=True)

    def _next_port(self) -> int:
        self._port += 1
        return self._port - 1


def _pacing(payload_bytes: int, rate_bps: float, streams: int) -> tuple[str, ...]:
    """iperf3 looks once a packet where that is seldom enough: by itself it wakes a thousand times a second."""
    gap_us = int(8e6 * payload_bytes / (rate_bps * streams))
    return ("--pacing-timer", str(min(gap_us, PACING_US_MAX))) if gap_us > PACING_US else ()


def _first_address(host: RealHost) -> str:
    """The address that others reach a host by: the IPv4 one of its first interface that has any."""
    every = [text.split("/")[0] for one in host.interfaces for text in one.addresses]
    return next((text for text in every if ":" not in text), every[0] if every else "")
