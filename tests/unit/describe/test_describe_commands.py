"""Commands, ways out and addresses: what may be said in several ways, which nodes become real, what is kept of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netarium.describe.command import Command
from netarium.describe.dump import dump
from netarium.describe.loader import loads
from netarium.describe.real import hostname_of, is_real_service, real_nodes
from netarium.describe.trial import Trial
from netarium.errors import TrialInvalid
from netarium.store.store import _files_named

NODES = {
    "a": {"kind": "host"}, "b": {"kind": "host"}, "m": {"kind": "host"}, "n": {"kind": "host"}, "r": {},
    "away": {"kind": "external", "attach": {"nat": True}},
}  # fmt: skip


def trial(services: dict[str, Any], folder: Path | None = None, **more: Any) -> Trial:
    links = [{"endpoints": [end, "r"], "rate": "1 Gbit/s", "delay": "1 ms"} for end in NODES if end != "r"]
    network = {"nodes": NODES, "links": links}
    described = {"trial": "t", "duration": "5 s", "mode": "emulate", "network": network, "services": services}
    return loads(json.dumps({**described, **more}), folder=folder)


def command(**keys: Any) -> dict[str, Any]:
    return {"kind": "command", "node": "a", "argv": ["ping", "b"], **keys}


def test_what_can_be_said_in_several_ways_is_one_thing() -> None:
    first = trial(
        {"x": command(argv=["ping", "-c", 3, 0.5], stop_signal="SIGINT", after="y"), "y": command()}
    )
    one = first.services["x"]
    assert isinstance(one, Command)
    assert one.argv == ("ping", "-c", "3", "0.5") and one.after == ("y",)
    same = trial({"x": command(argv=["ping", "-c", "3", "0.5"], stop_signal=2, after=["y"]), "y": command()})
    assert same.services["x"] == one and one.stop_signal == "INT"


def test_a_trial_with_everything_real_round_trips() -> None:
    one = trial(
        {
            "x": command(env={"A": 1}, cwd="/tmp", start="1 s", ready={"port": 80, "within": "2 s"}, writable="/var/x",
                         time_limit="3 s", memory="64 MB", exit_code="any", to="b", protocol="tcp", port=80),
            "y": {"kind": "bulk", "from": "m", "to": "n", "modelled": True},
        },
        emulate={"tolerance": "2 ms", "ipv4": "192.168.0.0/16", "linktest": "none", "link_local": True},
    )  # fmt: skip
    assert loads(dump(one)) == one


def test_nodes_become_real_for_a_reason() -> None:
    services = {
        "x": command(to="b"),
        "crowd": {"kind": "bulk", "from": "m", "to": "n", "modelled": True},
        "matrix": {"kind": "demands", "from": "m", "to": "n", "matrix": "uniform", "total": "1 Mbit/s"},
    }
    assert real_nodes(trial(services)) == {"a": "services.x", "b": "services.x", "away": "a way out"}
    played = {**services, "crowd": {"kind": "bulk", "from": "m", "to": "n"}}
    assert set(real_nodes(trial(played))) == {"a", "b", "m", "n", "away"}


def test_nothing_is_real_in_a_simulation() -> None:
    nodes = {"a": {"kind": "host", "real": True}, "b": {"kind": "host"}}
    links = [{"endpoints": ["a", "b"], "rate": "1 Gbit/s", "delay": "1 ms"}]
    one = loads(
        json.dumps(
            {
                "trial": "t",
                "duration": "5 s",
                "network": {"nodes": nodes, "links": links},
                "services": {"y": {"kind": "bulk", "from": "a", "to": "b"}},
            }
        )
    )
    assert real_nodes(one) == {} and not is_real_service(one, one.services["y"])


@pytest.mark.parametrize(
    ("node", "hostname"),
    [
        ("a", "a"),
        ("St. Gallen", "St.-Gallen"),
        ("København", "K-benhavn"),
        ("-", "host"),
        ("x" * 80, "x" * 63),
    ],
)
def test_host_names_are_names_of_hosts(node: str, hostname: str) -> None:
    assert hostname_of(node) == hostname


def test_a_file_beside_the_trial_must_exist_and_is_kept_with_the_record(tmp_path: Path) -> None:
    asked = {"x": command(argv=["nginx", "-c", "{trial}/conf/nginx.conf"], ready={"file": "/tmp/ready"})}
    with pytest.raises(TrialInvalid) as caught:
        trial(asked, folder=tmp_path)
    (problem,) = caught.value.problems
    assert problem.where == "services.x.argv[2]" and "does not exist" in problem.found
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "nginx.conf").write_text("events {}\n")
    assert _files_named(trial(asked, folder=tmp_path)) == {
        "conf/nginx.conf": tmp_path / "conf" / "nginx.conf"
    }


def test_a_metric_of_a_command_is_only_a_commands() -> None:
    with pytest.raises(TrialInvalid) as caught:
        trial(
            {"y": {"kind": "bulk", "from": "m", "to": "n"}},
            expect=[{"metric": "y.exit_code", "equals": 0}],
        )
    assert "'exit_code' of a bulk" in str(caught.value)
