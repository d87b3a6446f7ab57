"""What `netarium check` says of an admitted trial: routes, slices with their bounds, what it will cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netarium.operate import hostlist
from netarium.units import SECOND_PS, format_rate, format_size, format_time

if TYPE_CHECKING:
    from rich.console import RenderableType

    from netarium.compile.plan import Plan
    from netarium.describe.trial import Trial

ROWS_MAX = 20
WAY_LETTERS = 60


@dataclass(frozen=True)
class Route:
    """The way of a service's first pair of endpoints; delay without queues, rate of its slowest port."""

    service: str
    kind: str
    pairs: int
    nodes: tuple[str, ...]
    delay_ps: int
    rate_bps: int
    is_one_of_several: bool


def routes(trial: Trial, plan: Plan) -> Iterator[Route]:
    """One route per service, in the order of the trial."""
    for name, service in trial.services.items():
        pairs = trial.endpoints(name)
        if pairs:
            ports, several = _ports(trial, plan, service, *pairs[0])
            rates, delays = plan.graph.rate_bps[ports], plan.graph.delay_ps[ports]
            nodes = plan.graph.nodes_along(ports)
            yield Route(name, service.kind, len(pairs), nodes, int(delays.sum()), int(rates.min()), several)


def _ports(trial: Trial, plan: Plan, service: Any, source: str, target: str) -> tuple[list[int], bool]:
    """The ports that the packets of a service pass, and whether equal ones share its flows."""
    from netarium.compile.paths import explicit_path

    graph = plan.graph
    reserved = plan.admission[service.slice] if getattr(service, "slice", None) else None
    if getattr(service, "path", None):
        return explicit_path(graph, service.path), False
    if reserved is not None and (reserved.nodes[0], reserved.nodes[-1]) == (source, target):
        return list(reserved.ports), False
    return _shortest(trial, plan, graph.node(source), graph.node(target))


def _shortest(trial: Trial, plan: Plan, node: int, target: int) -> tuple[list[int], bool]:
    from netarium.compile.routing import next_hop_tables

    table = next_hop_tables(plan.graph, [target], trial.network.expand().routing.metric or "delay", plan.ecmp)
    ports: list[int] = []
    several = False
    while node != target:
        equal = table.ports_of(node, target)
        several |= len(equal) > 1
        ports.append(equal[0])
        node = int(plan.graph.head[equal[0]])
    return ports, several


def document(trial: Trial, plan: Plan) -> dict[str, Any]:
    """The judgement as one JSON document, in SI units with the unit in the key."""
    return {
        "format": 1,
        "status": "admitted",
        "trial": trial.trial,
        "mode": str(trial.mode),
        "seed": trial.seed,
        "network": {"nodes": plan.graph.node_count, "ports": plan.graph.port_count},
        "services": {
            route.service: {
                "kind": route.kind,
                "pairs": route.pairs,
                "route": list(route.nodes),
                "equal_routes": route.is_one_of_several,
                "propagation_s": route.delay_ps / SECOND_PS,
                "rate_bps": route.rate_bps,
            }
            for route in routes(trial, plan)
        },
        "slices": {
            each.name: {
                "admitted": True,
                "mechanism": each.mechanism,
                "path": list(each.nodes),
                "second_path": None if each.second is None else list(each.second.nodes),
                "bandwidth_bps": each.bandwidth_bps,
                "reserved_bps_max": max(each.reserved_bps),
                "bound": {
                    "latency_s": _seconds(each.latency_bound_ps),
                    "delay_variation_s": _seconds(each.variation_bound_ps),
                    "loss": each.loss,
                    "backlog_bytes": _finite(max(plan.admission.backlog_bytes[list(each.ports)].tolist())),
                },
                "margin_s": _seconds(each.margin_ps),
                "margin": _margins(plan.admission.margins(each.name)),
            }
            for each in plan.admission.reservations
        },
        "estimate": dataclasses.asdict(plan.estimate),
        "assumptions": list(plan.assumptions),
        "digests": {"plan": plan.digest},
        **({"emulation": hostlist.document(plan.emulation)} if plan.emulation is not None else {}),
    }


def _margins(margins: dict[str, float]) -> dict[str, float]:
    """In SI units with the unit in the key; what is left of each objective."""
    units = {"bandwidth": ("bandwidth_bps", 1), "latency": ("latency_s", SECOND_PS),
             "delay_variation": ("delay_variation_s", SECOND_PS), "loss": ("loss", 1)}  # fmt: skip
    return {units[word][0]: value / units[word][1] for word, value in margins.items()}


def _finite(value: float) -> float | None:
    return value if value < float("inf") else None


def _seconds(time_ps: int | None) -> float | None:
    return None if time_ps is None else time_ps / SECOND_PS


def tables(trial: Trial, plan: Plan) -> Iterator[RenderableType]:
    """The judgement for people: headline, routes, slices, cost, and what was assumed."""
    from rich.text import Text

    from netarium.show.columns import Columns

    size = f"{plan.graph.node_count:,} nodes, {plan.graph.port_count:,} ports"
    yield Text.assemble(
        ("✓ Admitted", "bold green"), f"  {trial.title or trial.trial}\n{size}, seed {trial.seed}"
    )
    yield Text()
    found = list(routes(trial, plan))
    headings = (("service", "left"), ("kind", "left"), ("pairs", "right"), ("route of the first", "left"),
                ("one way", "right"), ("slowest", "right"))  # fmt: skip
    if found:
        yield Columns(headings, [_route_row(route) for route in found[:ROWS_MAX]])
    yield from _more(len(found) - ROWS_MAX)
    if plan.admission.reservations:
        yield Text()
        headings = (("slice", "left"), ("by", "left"), ("reserved", "right"), ("path", "left"), ("latency", "right"),
                    ("margin", "right"), ("variation", "right"), ("margin", "right"), ("loss", "right"),
                    ("left", "right"))  # fmt: skip
        rows = [_slice_row(each, plan.admission) for each in plan.admission.reservations[:ROWS_MAX]]
        yield Columns(headings, rows)
        yield from _more(len(plan.admission.reservations) - ROWS_MAX)
    if plan.emulation is not None:
        yield Text()
        yield from hostlist.tables(plan.emulation)
    yield Text()
    yield Text(cost(plan))
    for sentence in plan.assumptions:
        yield Text(f"assumed: {sentence}", style="dim")


def _more(count: int) -> Iterator[RenderableType]:
    from rich.text import Text

    if count > 0:
        yield Text(f"and {count:,} more, see --json", style="dim")


def _route_row(route: Route) -> tuple[str, ...]:
    way = way_text(route.nodes) + (" (or an equal one)" if route.is_one_of_several else "")
    return (
        route.service,
        route.kind,
        f"{route.pairs:,}",
        way,
        format_time(route.delay_ps) if route.delay_ps else "0",
        format_rate(route.rate_bps),
    )


def _slice_row(each: Any, admission: Any) -> tuple[str, ...]:
    """Bounds with what is left of each promise, and the rate that is left on the fullest port."""
    margins = admission.margins(each.name)
    times = {
        word: format_time(margins[word]) if margins.get(word) else "–"
        for word in ("latency", "delay_variation")
    }
    return (
        each.name,
        each.mechanism
        + (f" {format_time(each.cycle_ps)}" if each.cycle_ps else "")
        + (", twice" if each.second is not None else ""),
        format_rate(each.bandwidth_bps),
        way_text(each.nodes),
        "none" if each.latency_bound_ps is None else format_time(each.latency_bound_ps),
        times["latency"],
        "none" if each.variation_bound_ps is None else format_time(each.variation_bound_ps),
        times["delay_variation"],
        f"{each.loss:.3g}",
        format_rate(margins["bandwidth"]) if margins["bandwidth"] else "0",
    )


def way_text(nodes: tuple[str, ...]) -> str:
    """Nodes in order; of a long way its two ends."""
    whole = " → ".join(nodes)
    if len(whole) <= WAY_LETTERS or len(nodes) < 6:
        return whole
    return " → ".join((*nodes[:2], f"… {len(nodes) - 4} more …", *nodes[-2:]))


def cost(plan: Plan) -> str:
    """About how much work, memory and time a run will take."""
    from netarium.show import quantity

    expected = plan.estimate
    if plan.emulation is not None:
        seconds = quantity.seconds(plan.duration_ps / SECOND_PS)
        return f"takes {seconds} of real time, {format_size(expected.memory_bytes)} of memory for the engine"
    return (
        f"about {quantity.count(expected.packet_hops)} packet-hops, {quantity.seconds(expected.wall_s)},"
        f" {format_size(expected.memory_bytes)} of memory"
    )
