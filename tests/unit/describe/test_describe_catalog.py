"""The table of kinds agrees with the models, and the table of metrics with what is measured."""

from __future__ import annotations

import subprocess
import sys

from netarium import catalog
from netarium.describe.events import Event
from netarium.describe.impairments import Loss
from netarium.describe.paths import Spot
from netarium.describe.queues import Queue
from netarium.describe.services import AnyService
from netarium.describe.topology.spec import Topology
from netarium.describe.transport import CongestionWord, Transport


def test_every_kind_of_the_models_is_in_the_table_and_no_other() -> None:
    for family, union in (
        ("queues", Queue),
        ("services", AnyService),
        ("transports", Transport),
        ("topologies", Topology),
        ("events", Event),
        ("losses", Loss),
    ):
        assert list(Spot.of(union).tags) == catalog.words(family), family
    assert list(CongestionWord.__args__) == catalog.words("congestions")


def test_a_kind_has_a_meaning_and_a_page() -> None:
    assert catalog.kind("queues", "codel").page == "kinds/queues/codel.md"
    assert all(kind.meaning for family in catalog.KINDS.values() for kind in family.values())


def test_every_metric_is_measured() -> None:
    from netarium.measure.names import resolve

    for word in catalog.SERVICE_METRICS:
        assert resolve(f"one.{word}", ["one"], []).word == word
    for word in catalog.PORT_METRICS:
        assert resolve(f"links.a->b.{word}", [], ["a->b"]).word == word


def test_the_table_imports_nothing_heavy() -> None:
    code = "import sys, netarium.catalog; print(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pydantic", "numpy", "ruamel", "networkx"} & set(loaded)
