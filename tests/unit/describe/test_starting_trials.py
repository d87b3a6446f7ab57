"""Starting trials load as they are, and their comments load too once they are opened."""

from __future__ import annotations

import re

import pytest

from netarium.describe.loader import loads
from netarium.describe.new import new_trial
from netarium.errors import TrialInvalid

TOPOLOGIES = ["dumbbell", "fat_tree:4", "line", "ring", "star", "tree", "leaf_spine", "grid", "parking_lot"]


@pytest.mark.parametrize("topology", [*TOPOLOGIES, "random_geometric:nodes=12", "reference_backbone"])
def test_every_topology_starts(topology: str) -> None:
    trial = loads(new_trial("mylab", topology, ["bulk", "stream", "request_response", "demands", "bulk"]))
    assert trial.trial == "mylab"
    assert list(trial.services) == ["bulk1", "stream1", "request_response1", "demands1", "bulk2"]
    assert trial.endpoints("bulk1")


@pytest.mark.parametrize("topology", ["dumbbell", "reference_backbone"])
def test_comments_open_into_a_valid_trial(topology: str) -> None:
    text = new_trial("mylab", topology, ["bulk", "stream"])
    opened = re.sub(r"(?m)^# (?=(slices|events|expect):|  )|^(  +)# (?=[a-z_ ]+:)", r"\2", text)
    opened = re.sub(r"(?m)^    [a-z_]+: +(# .*)?$", "", opened)  # parameters that have no default to show
    trial = loads(opened)
    assert trial.slices and len(trial.events) == 2 and trial.expect
    assert trial.services["bulk1"].slice == "express"
    assert trial.network.defaults.model_fields_set == {"queue", "mtu"}


def test_topohub_by_name() -> None:
    pytest.importorskip("topohub", reason="topohub is an extra")
    trial = loads(new_trial("mylab", "topohub:sndlib/germany50", ["bulk"]))
    assert len(trial.network.expand().nodes) >= 50


@pytest.mark.parametrize(
    ("arguments", "where", "said"),
    [
        (("my lab",), "NAME", "for example 'my-lab'"),
        (("x", "dumbell"), "--topology", "did you mean 'dumbbell'?"),
        (("x", "dumbbell", ["bluk"]), "--services", "did you mean 'bulk'?"),
        (("x", "dumbbell", ["replay"]), "--services", "needs a CSV of packets or flows first"),
        (("x", "dumbbell", []), "--services", "one of bulk"),
    ],
)
def test_what_cannot_start(arguments: tuple[object, ...], where: str, said: str) -> None:
    with pytest.raises(TrialInvalid) as caught:
        new_trial(*arguments)
    assert caught.value.problems[0].where == where
    assert said in str(caught.value)
