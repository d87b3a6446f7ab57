"""Traffic matrices: gravity, uniform, the demands of the topology, or a CSV file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from netarium.describe.endpoints import resolve
from netarium.describe.network import Network
from netarium.describe.services import Demands, MatrixFile
from netarium.errors import Mistake, Problem, TrialInvalid, did_you_mean
from netarium.units import RATE, parse

if TYPE_CHECKING:
    from netarium.describe.trial import Trial

Demand = tuple[str, str, float]

COLUMNS = ("from", "to", "rate")


def demands_of(service: Demands, trial: Trial) -> list[Demand]:
    """See Trial.demands. Raises Mistake when the matrix does not exist or fit."""
    network = trial.network.expand()
    sources, targets = ends(service, network)
    if isinstance(service.matrix, MatrixFile):
        rates = read_matrix(trial.locate(service.matrix.file), network)
    elif service.matrix == "sndlib":
        rates = _of_topology(trial)
    elif service.matrix == "uniform":
        rates = {(a, b): 1.0 for a in sources for b in targets if a != b}
    else:
        rates = _gravity(network, sources, targets)
    from_, to = set(sources), set(targets)
    kept = [(a, b, rate) for (a, b), rate in rates.items() if rate > 0 and a in from_ and b in to and a != b]
    if not kept:
        raise Mistake("no demand between these nodes", "at least one pair with a demand")
    if service.total is None:
        return kept
    scale = service.total / sum(rate for _, _, rate in kept)
    return [(a, b, rate * scale) for a, b, rate in kept]


def ends(service: Demands, network: Network) -> tuple[list[str], list[str]]:
    """Sources and targets: as stated, else all hosts, or all nodes where there are no hosts."""
    everyone = [n for n, node in network.nodes.items() if node.kind == "host"] or list(network.nodes)
    sources = resolve(service.from_, network.nodes) if service.from_ else everyone
    targets = resolve(service.to, network.nodes) if service.to else (sources if service.from_ else everyone)
    return sources, targets


def _gravity(network: Network, sources: list[str], targets: list[str]) -> dict[tuple[str, str], float]:
    """Demand in proportion to the product of the nodes' link rates (Roughan, CCR 2005)."""
    mass = dict.fromkeys(network.nodes, 0.0)
    for port in network.ports():
        mass[port.source] += port.rate
    top = max(mass.values(), default=1.0) or 1.0
    return {(a, b): mass[a] / top * mass[b] / top for a in sources for b in targets if a != b}


def _of_topology(trial: Trial) -> dict[tuple[str, str], float]:
    """The demands that the topology brings, between the nodes it has."""
    from netarium.describe import topology

    network = trial.network
    if network.topology is None:
        raise Mistake("sndlib without a topology", "a topology that brings demands, such as topohub:sndlib/…")
    return dict(topology.demands(network.topology, network.folder))


def read_matrix(path: Path, network: Network) -> dict[tuple[str, str], float]:
    """Rates in bit/s of a CSV file (columns from,to,rate). Raises TrialInvalid with every wrong line."""
    rates: dict[tuple[str, str], float] = {}
    problems: list[Problem] = []
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines, skipinitialspace=True)
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            found = f"the columns {', '.join(reader.fieldnames or ['none'])}"
            raise TrialInvalid([Problem("", found, "from,to,rate in the first line", file=str(path), line=1)])
        for row in reader:
            try:
                pair = (_node(row["from"], network), _node(row["to"], network))
                rates[pair] = rates.get(pair, 0.0) + float(parse(row["rate"] or "", RATE))
            except Mistake as mistake:
                line = reader.line_num
                problems.append(
                    Problem("", mistake.found, mistake.expected, mistake.hint, str(path), line, 1)
                )
    if problems:
        raise TrialInvalid(problems)
    return rates


def _node(name: str | None, network: Network) -> str:
    text = (name or "").strip()
    if text not in network.nodes:
        raise Mistake(repr(text), "the name of a node", did_you_mean(text, network.nodes))
    return text
