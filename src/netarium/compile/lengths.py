"""Lengths of shortest paths from every node to some nodes, as exact integers.

A vectorised Bellman-Ford takes one round per hop of the longest path, which is quick for most networks;
Dijkstra's algorithm in SciPy (slow to import) takes over when a network is so long and large that rounds
would cost more. Both give the same numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netarium.compile.graph import LARGEST_PATH_COST, Graph
from netarium.errors import Problem, TrialInvalid

LEAST_ROUNDS = 4
ROUND_CELLS = 20_000_000
"""Cells (ports x roots x rounds) after which Dijkstra takes over: what importing SciPy costs."""


def path_lengths(
    graph: Graph, costs: NDArray[np.int64], usable: NDArray[np.bool_], roots: NDArray[np.int64]
) -> NDArray[np.int64]:
    """int64[N, len(roots)]: shortest path from each node to each root; LARGEST_PATH_COST where there is none.

    `costs` int64[P] from Graph.costs, `usable` bool[P]. Only forwarding nodes lie between the ends.
    """
    inner = np.flatnonzero(usable & graph.node_forwards[graph.head])
    inner = inner[np.argsort(graph.tail[inner], kind="stable")]
    lengths = np.full((graph.node_count, len(roots)), LARGEST_PATH_COST, np.int64)
    _seed(graph, costs, usable, roots, lengths)
    if len(inner):
        tails, starts = np.unique(graph.tail[inner], return_index=True)
        heads, steps = graph.head[inner], costs[inner][:, None]
        rounds_most = max(LEAST_ROUNDS, ROUND_CELLS // max(1, len(inner) * len(roots)))
        for _ in range(rounds_most):
            best = np.minimum.reduceat(steps + lengths[heads], starts, axis=0)
            np.minimum(best, lengths[tails], out=best)
            if np.array_equal(best, lengths[tails]):
                break
            lengths[tails] = best
        else:
            lengths = _dijkstra(graph, costs, inner, lengths)
    lengths[roots, np.arange(len(roots))] = 0
    return lengths


def _seed(
    graph: Graph,
    costs: NDArray[np.int64],
    usable: NDArray[np.bool_],
    roots: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    """Start values: 0 at a forwarding root; the last hop at the neighbours of one that does not forward."""
    for column, root in enumerate(roots.tolist()):
        if graph.node_forwards[root]:
            lengths[root, column] = 0
            continue
        for port in graph.in_ports[root]:
            if usable[port]:
                tail = graph.tail[port]
                lengths[tail, column] = min(lengths[tail, column], costs[port])


def _dijkstra(
    graph: Graph, costs: NDArray[np.int64], inner: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The same lengths by SciPy: every column is a virtual node with an edge to each seeded node.

    Exact while lengths stay below 2^53 (2.5 hours in ps); refused beyond that.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    nodes, columns = lengths.shape
    seeded, column = np.nonzero(lengths < LARGEST_PATH_COST)
    tails = np.concatenate([graph.head[inner].astype(np.int64), nodes + column])
    heads = np.concatenate([graph.tail[inner].astype(np.int64), seeded])
    steps = np.concatenate([costs[inner], lengths[seeded, column] + 1])  # + 1: SciPy reads 0 as no edge
    order = np.lexsort((steps, heads, tails))
    tails, heads, steps = tails[order], heads[order], steps[order]
    cheapest = np.concatenate([[True], (np.diff(tails) != 0) | (np.diff(heads) != 0)])
    size = nodes + columns
    steps, tails, heads = steps[cheapest].astype(float), tails[cheapest], heads[cheapest]
    matrix = csr_array((steps, (tails, heads)), shape=(size, size))
    found = dijkstra(matrix, indices=np.arange(nodes, size))[:, :nodes].T
    finite = np.isfinite(found)
    if finite.any() and found[finite].max() >= 2**53:
        hint = "this network is both long and large; use routing metric: hops"
        raise TrialInvalid([Problem("network", "path lengths above 2^53", "shorter delays or weights", hint)])
    exact = np.full((nodes, columns), LARGEST_PATH_COST, np.int64)
    exact[finite] = found[finite].astype(np.int64) - 1
    return exact
