"""The text of a trial to start from: it runs as it is, with comments beside what one would change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netarium import catalog
from netarium.describe.network import Network
from netarium.describe.part import check_name
from netarium.describe.schema import field_texts
from netarium.errors import Mistake, Problem, TrialInvalid, did_you_mean, one_of
from netarium.units import RATE, SECOND_PS, TIME, write

PACKETS_WANTED = 1_000_000  # a first run should take seconds
PACKET_BITS = 12_000
ROUND_PS = (SECOND_PS * 10, SECOND_PS * 5, SECOND_PS * 2, SECOND_PS, SECOND_PS // 2)

# Kinds that need a file of the user's before they can run.
NEEDING_A_FILE = {"replay": "a CSV of packets or flows", "user": "your Python file"}


def new_trial(name: str, topology: str = "dumbbell", services: Sequence[str] = ("bulk", "stream")) -> str:
    """YAML of a starting trial with comments.

    topology is a kind, or a kind with arguments such as "topohub:sndlib/germany50" or "fat_tree:8"; services
    are words of the catalogue, each once or more. Raises TrialInvalid for a name, topology or service that is
    none, and for kinds of service that need a file first.
    """
    network = _network(topology)
    _check(name, services)
    expanded = network.expand()
    ends = _ends(expanded)
    slowest = min(port.rate for port in expanded.ports())
    duration = _duration(slowest)
    blocks = [
        _HEAD.format(name=name, duration=write(duration, TIME)),
        _network_block(network),
        _SLICES.format(a=_word(ends[0]), b=_word(ends[1]), rate=write(slowest // 4, RATE)),
        _services_block(services, ends, slowest),
        _TAIL.format(
            service=_service_names(services)[0],
            link=_word(expanded.links[0].name),
            down=write(duration * 4 // 10, TIME),
            up=write(duration * 6 // 10, TIME),
        ),
    ]
    return "\n".join(blocks)


def _network(topology: str) -> Network:
    try:
        return Network(topology=topology)
    except TrialInvalid as invalid:
        problems = [Problem("--topology", p.found, p.expected, p.hint) for p in invalid.problems]
        raise TrialInvalid(problems) from None


def _check(name: str, services: Sequence[str]) -> None:
    problems = []
    try:
        check_name(name)
    except Mistake as mistake:
        problems.append(Problem("NAME", mistake.found, mistake.expected, mistake.hint))
    known = [word for word in catalog.words("services") if word not in NEEDING_A_FILE]
    for kind in services or [""]:
        if kind in NEEDING_A_FILE:
            found = f"{kind!r}, which needs {NEEDING_A_FILE[kind]} first"
            problems.append(Problem("--services", found, one_of(known), "add it to the file by hand"))
        elif kind not in known:
            problems.append(Problem("--services", repr(kind), one_of(known), did_you_mean(kind, known)))
    if problems:
        raise TrialInvalid(problems)


def _ends(network: Network) -> tuple[str, str]:
    """Two nodes far from each other in the list: hosts, where there are two."""
    hosts = [name for name, node in network.nodes.items() if node.kind == "host"] or list(network.nodes)
    if len(hosts) < 2:
        raise TrialInvalid([Problem("--topology", "a network with one node", "at least two nodes")])
    return hosts[0], hosts[-1]


def _duration(rate_bps: int) -> int:
    """Round virtual time in ps in which the slowest link carries about PACKETS_WANTED packets."""
    wanted = PACKETS_WANTED * PACKET_BITS * SECOND_PS // max(1, rate_bps)
    return next((step for step in ROUND_PS if step <= wanted), ROUND_PS[-1])


def _network_block(network: Network) -> str:
    """The topology as stated, and its other parameters as comments."""
    spec: Any = network.topology
    stated = spec.model_dump(mode="json", exclude_unset=True)
    default = spec.model_dump(mode="json")
    lines = ["network:", "  topology:"]
    lines += [f"    {key}: {_word(value)}" for key, value in stated.items()]
    texts: dict[str, str] = {}
    for model in reversed(type(spec).__mro__):
        if hasattr(model, "model_fields") and model.__module__ == type(spec).__module__:
            texts |= field_texts(model)
    for key, value in default.items():
        if key not in stated:
            lines.append(_commented(key, value, texts.get(key, "")))
    lines += [_DEFAULTS]
    return "\n".join(lines)


def _commented(key: str, value: Any, text: str) -> str:
    left = f"    # {key}: {'' if value is None else _word(value)}".rstrip()
    short = text.split(". ")[0].rstrip(".")
    if len(short) > 70:
        short = short.split("; ")[0]
    return f"{left:<36}# {short}" if text else left


def _word(value: Any) -> str:
    """A scalar as YAML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    plain = text and text[0].isalnum() and not set(text) & set(":#,[]{}&*!|>'\"%@`") and text == text.strip()
    number = text.replace(".", "", 1).replace("-", "", 1).isdigit()
    reserved = text.lower() in ("true", "false", "null", "yes", "no")
    if isinstance(value, str) and (not plain or number or reserved):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text


def _service_names(services: Sequence[str]) -> list[str]:
    """bulk1, bulk2, stream1 … in the order asked for."""
    names: list[str] = []
    for kind in services:
        names.append(f"{kind}{sum(name.rstrip('0123456789') == kind for name in names) + 1}")
    return names


def _services_block(services: Sequence[str], ends: tuple[str, str], slowest: int) -> str:
    lines = ["services:"]
    values = {
        "a": _word(ends[0]),
        "b": _word(ends[1]),
        "rate": write(max(1000, slowest // 10), RATE),
        "total": write(max(1000, slowest // 2), RATE),
    }
    for name, kind in zip(_service_names(services), services, strict=True):
        lines.append(f"  {name}:" + _SERVICES[kind].format(**values))
    return "\n".join(lines) + "\n"


_HEAD = """\
# A trial to start from. Check it with `netarium check`, run it with `netarium run`.
trial: {name}
title: A first trial
duration: {duration:<24}# virtual time
seed: 1                           # the same seed gives the same result, bit for bit
transport: {{kind: tcp, congestion: cubic}}   # of services that state none: reno, cubic, cubic_rfc9438, bbr, dctcp
"""

_DEFAULTS = """\
  # defaults:                       # of links that do not say it themselves
  #   queue: {kind: pfifo, limit: 1000}    # also bfifo, prio, drr, htb, tbf, red, codel, fq_codel, pie
  #   mtu: 1500 B
"""

_SLICES = """\
# slices:                           # guarantees: admitted or refused before the run, certified after it
#   express: {{from: {a}, to: {b}, bandwidth: {rate}, latency: 100 ms, loss: 0}}
"""

_TAIL = """\
# events:                           # what happens while it runs
#   - {{at: {down}, kind: link_down, link: {link}}}
#   - {{at: {up}, kind: link_up, link: {link}}}

# expect:                           # what must hold for the run to pass (exit code 0, else 1)
#   - {{metric: {service}.goodput, at_least: 1 Mbit/s}}
"""

_SERVICES = {
    "bulk": """
    kind: bulk                    # a transfer as fast as tcp allows
    from: {a}
    to: {b}
    # size: 1 GB                  # until the trial ends if not stated
    # slice: express
    # transport: {{kind: tcp, congestion: bbr}}""",
    "stream": """
    kind: stream                  # packets at a rate, over udp
    from: {a}
    to: {b}
    rate: {rate}
    # pattern: poisson            # or constant, or on_off
    # start: 100 ms""",
    "request_response": """
    kind: request_response        # flows that arrive at random
    from: {a}
    to: {b}
    sizes: {{distribution: websearch}}
    load: 10 %                    # of what the sender's links carry""",
    "demands": """
    kind: demands                 # a traffic matrix between all nodes
    matrix: gravity               # or uniform, or {{file: demands.csv}}
    total: {total}""",
}
