"""REPETITA: .graph and .demands files (Gay, Schaus, Vissicchio, REPETITA, arXiv:1710.08665).

    NODES n            label x y                        one line per node; x is the longitude, y the latitude
    EDGES m            label src dest weight bw delay   one line per direction
    DEMANDS d          label src dest bw

src and dest count nodes from 0. Bandwidths are kbit/s; delays are microseconds in the files of
2016TopologyZooUCL, where they are shorter than light needs between the places: such links are counted in the
assumptions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netarium.describe.topology.draft import Draft
from netarium.describe.topology.geo import FIBRE_PS_PER_M, great_circle
from netarium.describe.topology.imported import (
    Source,
    SourceLink,
    SourceNode,
    adopt,
    location,
    number,
    read_text,
)
from netarium.describe.topology.spec import Repetita
from netarium.errors import Problem, TrialInvalid
from netarium.units import format_rate, format_time

Demands = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Row:
    """One line of a section: its number in the file and its words."""

    line: int
    words: tuple[str, ...]


def repetita(spec: Repetita, folder: Path) -> Draft:
    """The network of a .graph file."""
    return adopt(read(folder / spec.file, spec), spec)


def read(path: Path, spec: Repetita) -> Source:
    """Nodes and directed links of a .graph file. Raises TrialInvalid with every bad line."""
    text = read_text(path)
    source = Source(path.name, directed=True)
    problems: list[Problem] = []
    for row in _section(text, "NODES", 3, path, problems):
        place = (
            None if row.words[1:] in (("0.0", "0.0"), ("0", "0")) else location(row.words[2], row.words[1])
        )
        label = row.words[0].replace("+", " ")
        if label.split("_")[0] == str(len(source.nodes)) and "_" in label:
            label = label.split("_", 1)[1]
        source.nodes.append(SourceNode(str(len(source.nodes)), label, place, "router", ("routers",)))
    for row in _section(text, "EDGES", 6, path, problems):
        ends = _ends(row, len(source.nodes), path, problems)
        values = [number(word) for word in row.words[3:]]
        if ends is None or any(value is None or value < 0 for value in values):
            found = " ".join(row.words[3:])
            if ends is not None:
                problems.append(_problem(path, row, found, "three numbers: weight, bandwidth, delay"))
            continue
        weight, bandwidth, delay = (value or 0.0 for value in values)
        rate, delay_ps = round(bandwidth * spec.bandwidth_unit), round(delay * spec.delay_unit)
        source.links.append(SourceLink(*ends, rate or None, delay_ps, None, weight or 1.0))
    if problems:
        raise TrialInvalid(problems)
    _say(source, spec)
    return source


def _say(source: Source, spec: Repetita) -> None:
    source.said.append(f"a bandwidth of 1 in the file is {format_rate(spec.bandwidth_unit)}, a delay of 1 is "
                       f"{format_time(spec.delay_unit)}")  # fmt: skip
    places = {node.id: node.location for node in source.nodes}
    early = 0
    for link in source.links:
        a, b = places[link.a], places[link.b]
        if a and b and link.delay is not None and link.delay < great_circle(a, b) * FIBRE_PS_PER_M * 0.98:
            early += 1
    if early:
        source.said.append(f"{early} of {len(source.links)} directions have a delay in the file below that "
                           "of fibre on the great circle: kept as the file says")  # fmt: skip


def demands(spec: Repetita, folder: Path) -> Demands:
    """The demands of spec.demands between the nodes that build(spec) keeps; bit/s."""
    source = read(folder / spec.file, spec)
    everything = adopt(source, spec.model_copy(update={"components": "all", "hosts_per_node": 0}))
    kept = adopt(source, spec.model_copy(update={"hosts_per_node": 0})).nodes
    found = read_demands(folder / str(spec.demands), list(everything.nodes), spec.bandwidth_unit)
    return {pair: rate for pair, rate in found.items() if pair[0] in kept and pair[1] in kept}


def read_demands(path: Path, names: list[str], bandwidth_unit: int = 1000) -> Demands:
    """{(from, to): bit/s} of a .demands file; `names` are the nodes in the order of the .graph file.

    Several demands of one pair are added up; demands of a node to itself are left out. Raises TrialInvalid
    with every bad line.
    """
    demands: Demands = {}
    problems: list[Problem] = []
    for row in _section(read_text(path, "demands"), "DEMANDS", 4, path, problems):
        ends = _ends(row, len(names), path, problems)
        value = number(row.words[3])
        if value is None or value < 0:
            problems.append(_problem(path, row, row.words[3], "a bandwidth"))
        elif ends is not None and ends[0] != ends[1]:
            pair = names[int(ends[0])], names[int(ends[1])]
            demands[pair] = demands.get(pair, 0.0) + value * bandwidth_unit
    if problems:
        raise TrialInvalid(problems)
    return demands


def _section(text: str, title: str, width: int, path: Path, problems: list[Problem]) -> Iterator[Row]:
    """Rows of one section: the title with their number, a line of column names, then the rows."""
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.split()[:1] == [title]), None)
    if start is None:
        problems.append(
            Problem("network.topology", f"no section {title}", f"a line '{title} <n>'", "", str(path))
        )
        return
    head = lines[start].split()
    count = int(head[1]) if len(head) == 2 and head[1].isdigit() else -1
    found = 0
    for i in range(start + 2, len(lines)):
        words = tuple(lines[i].split())
        if not words or words[0] in ("NODES", "EDGES", "DEMANDS"):
            if words or found == count:
                break
            continue
        found += 1
        if len(words) != width:
            wanted = f"{width} words, as in the columns {lines[start + 1].strip()!r}"
            problems.append(_problem(path, Row(i + 1, words), f"{len(words)} words", wanted))
            continue
        yield Row(i + 1, words)
    if found != count:
        said = head[1] if len(head) > 1 else "nothing"
        problems.append(
            _problem(path, Row(start + 1, ()), f"{title} {said} with {found} lines", "the same number")
        )


def _ends(row: Row, count: int, path: Path, problems: list[Problem]) -> tuple[str, str] | None:
    """The two node numbers of a row, as ids; a problem when there is no such node."""
    for word in row.words[1:3]:
        if not word.isdigit() or int(word) >= count:
            problems.append(_problem(path, row, f"node {word}", f"a number from 0 to {count - 1}"))
            return None
    return str(int(row.words[1])), str(int(row.words[2]))


def _problem(path: Path, row: Row, found: str, expected: str) -> Problem:
    return Problem("network.topology", found, expected, "", str(path), row.line, 1)
