"""Lists and facts that the command line shows, and that looking at them loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from netarium.catalog import KINDS as CATALOGUE
from netarium.describe.topology import describe, list_builtin, parse
from netarium.describe.topology.spec import KINDS
from netarium.errors import TrialInvalid


def test_kinds_are_those_of_the_catalogue() -> None:
    assert set(CATALOGUE["topologies"]) == set(KINDS)


def test_list() -> None:
    rows = list_builtin()
    names = [row["name"] for row in rows]
    assert {"line", "dumbbell", "fat_tree", "reference_backbone", "topohub:sndlib/…"} < set(names)
    assert all(row["what"] for row in rows)
    group = {row["name"]: row for row in list_builtin("topohub/sndlib")}
    assert group["topohub:sndlib/polska"] == {
        "name": "topohub:sndlib/polska", "what": "66 demands", "nodes": "12", "links": "18"
    }  # fmt: skip
    with pytest.raises(TrialInvalid, match="did you mean 'sndlib'"):
        list_builtin("topohub/sndlibb")


def test_facts() -> None:
    facts = describe(parse("reference_backbone"))
    json.dumps(facts)
    assert facts["kinds"] == {"router": 40, "host": 40}
    assert facts["two_disjoint_paths"] is True
    assert facts["fibre_km"] >= 55_000
    assert facts["parts"] == 1
    ring = describe(parse("ring:8,hosts_per_node=0"))
    assert (ring["diameter_hops"], ring["degree"]) == (4, {"min": 2, "mean": 2.0, "max": 2})
    assert ring["rates"] == {"10 Gbit/s": 8}
    assert ring["delays"] == "1 ms"
    for alone in ("dumbbell", "star", "line", "tree"):
        assert describe(parse(alone))["two_disjoint_paths"] is False, alone


def test_reading_a_topology_loads_nothing_heavy() -> None:
    code = (
        "import sys; from netarium.describe.topology import parse, build; build(parse('fat_tree'));"
        "build(parse('random_geometric')); build(parse('reference_backbone'));"
        "heavy = {'numpy', 'scipy', 'networkx', 'rustworkx', 'numba', 'topohub'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
