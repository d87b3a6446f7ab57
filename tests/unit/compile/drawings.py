"""Small networks for the tests of routing and admission, one line each; and a strategy to generate them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from netarium.compile.graph import Graph, build_graph
from netarium.describe.network import Network


def draw(*links: str, hosts: str = "", **defaults: Any) -> Graph:
    """Graph of links written "a-b 10 Gbit/s 1 ms" (rate and delay may be left out), nodes as first mentioned.

    `hosts` names the nodes that are hosts, separated by spaces; the others are routers.
    """
    nodes: dict[str, dict[str, str]] = {}
    described = []
    for text in links:
        ends, *quantities = text.split(" ", 1)
        a, b = ends.split("-")
        link: dict[str, Any] = {"endpoints": [a, b]}
        words = quantities[0].split() if quantities else []
        for number, unit in zip(words[::2], words[1::2], strict=True):
            link["rate" if "/" in unit else "delay"] = f"{number} {unit}"
        described.append(link)
        for name in (a, b):
            nodes[name] = {"kind": "host" if name in hosts.split() else "router"}
    stated = {"rate": "10 Gbit/s", "delay": "1 ms", **defaults}
    return build_graph(Network(nodes=nodes, links=described, defaults=stated))


@st.composite
def graphs(
    draw_value: Any, most_nodes: int = 7, most_links: int = 12, mtus: tuple[int, ...] = (1500,)
) -> Graph:
    """Multigraphs with hosts, parallel links, equal lengths and different delays in the two directions."""
    count = draw_value(st.integers(2, most_nodes))
    names = [f"n{i}" for i in range(count)]
    kinds = draw_value(
        st.lists(st.sampled_from(["router", "router", "host"]), min_size=count, max_size=count)
    )
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
        lambda ends: ends[0] != ends[1]
    )
    links = []
    for a, b in draw_value(st.lists(pairs, min_size=1, max_size=most_links)):
        link: dict[str, Any] = {
            "endpoints": [names[a], names[b]],
            "rate": f"{draw_value(st.integers(1, 4))} Gbit/s",
            "delay": f"{draw_value(st.integers(1, 3))} ms",
            "weight": draw_value(st.sampled_from([1.0, 2.0, 2.5])),
            "mtu": f"{draw_value(st.sampled_from(mtus))} B",
        }
        if draw_value(st.booleans()):
            link["backward"] = {"delay": f"{draw_value(st.integers(1, 3))} ms"}
        links.append(link)
    nodes = {name: {"kind": kind} for name, kind in zip(names, kinds, strict=True)}
    return build_graph(Network(nodes=nodes, links=links))
