"""containerlab files: in with everything a trial has a place for, out again, and nothing dropped in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.describe import containerlab
from netarium.describe.command import Command
from netarium.describe.loader import loads
from netarium.describe.trial import Trial
from netarium.errors import TrialInvalid

LAB = """
name: my lab
prefix: lab
topology:
  defaults: {env: {LANG: C}}
  kinds:
    linux: {image: alpine, exec: [echo from the kind]}
  groups:
    routers: {kind: linux, startup-config: frr.conf}
  nodes:
    r1: {group: routers}
    pc1:
      kind: linux
      binds: [a:b]
      env: {PORT: 80}
      exec:
        - ip link set eth1 up
        - ip addr add 192.0.2.2/24 dev eth1
        - ip route add default via 192.0.2.1
        - sh -c "echo two words"
    pc2: {kind: linux}
    br: {kind: bridge}
  links:
    - endpoints: ["pc1:eth1", "r1:eth1"]
      vars: {netarium: {rate: 100 Mbit/s, delay: 5 ms, queue: {kind: codel}, impairments: {loss: 1 %}}, ansible: x}
    - endpoints: ["r1:eth2", "pc2:eth1"]
      mtu: 9000
      labels: {netarium.rate: 1 Gbit/s, colour: red}
    - type: veth
      endpoints: [{node: r1, interface: eth3}, {node: br, interface: p1}]
    - {type: mgmt-net, endpoint: {node: r1, interface: eth4}, host-interface: x}
"""


@pytest.fixture
def lab(tmp_path: Path) -> tuple[Trial, list[str]]:
    path = tmp_path / "lab.clab.yml"
    path.write_text(LAB)
    return containerlab.read(path, "10 s")


def test_nodes_links_and_exec_come_in(lab: tuple[Trial, list[str]]) -> None:
    trial, _ = lab
    nodes, links = trial.network.nodes, trial.network.links
    assert trial.trial == "my-lab" and trial.mode == "emulate" and trial.duration == 10 * 10**12
    kinds = {name: (node.kind, node.real) for name, node in nodes.items()}
    assert kinds["pc1"] == ("host", True) and kinds["r1"] == ("router", True)
    assert kinds["br"] == ("external", None) and kinds["mgmt-net"] == ("external", None)
    assert links[0].rate == 100_000_000 and links[0].queue is not None and links[0].queue.kind == "codel"
    assert links[0].addresses == {"pc1": ("192.0.2.2/24",)}
    assert links[1].mtu == 9000 and links[1].rate == 10**9 and links[1].delay is None
    first, second = (one for one in trial.services.values() if isinstance(one, Command) and one.node == "pc1")
    assert first.argv == ("echo", "from", "the", "kind") and second.argv == ("sh", "-c", "echo two words")
    assert second.after == ("pc1-exec0",) and second.env == {"LANG": "C", "PORT": "80"}


def test_what_is_not_carried_is_said(lab: tuple[Trial, list[str]]) -> None:
    said = "\n".join(lab[1])
    for text in ("prefix", "image", "binds", "startup-config", "vars: ansible", "labels: colour", "ip route add default",
                 "kind bridge", "mgmt-net", "10 Gbit/s and 10 us", "eth0, eth1"):  # fmt: skip
        assert text in said, text


def test_out_and_in_again_is_the_same(lab: tuple[Trial, list[str]], tmp_path: Path) -> None:
    trial, _ = lab
    text, _ = containerlab.write(trial)
    again_path = tmp_path / "again.clab.yml"
    again_path.write_text(text)
    again, notes = containerlab.read(again_path, "10 s")
    one, other = trial.network.expand(), again.network.expand()
    assert one.nodes == other.nodes and one.links == other.links
    assert trial.services == again.services
    assert not [note for note in notes if "not carried" in note]
    assert containerlab.write(again)[0] == text


def test_a_trial_with_waiting_commands_round_trips(tmp_path: Path) -> None:
    trial = loads("""
trial: t
duration: 60 s
mode: emulate
network:
  nodes: {a: {kind: host, real: true}, b: {kind: host, real: true}, r: {kind: router, routes: none, real: true}}
  links:
    - {endpoints: [a, r], rate: 1 Gbit/s, delay: 1 ms, forward: {rate: 10 Mbit/s}}
    - {endpoints: [r, b], rate: 1 Gbit/s, delay: 1 ms, overhead: 20 B, weight: 3}
services:
  web: {kind: command, node: b, argv: [nginx], ready: {port: 80}, start: 1 s, stop_signal: QUIT}
  get: {kind: command, node: a, argv: [curl, "http://b/ c"], after: web, to: b, protocol: tcp, port: 80}
  load: {kind: bulk, from: a, to: b}
""")
    text, notes = containerlab.write(trial, image="debian:12")
    assert "image: debian:12" in text and "curl 'http://b/ c'" in text
    assert "services other than commands are not carried: load" in notes
    assert any("web, get" in note for note in notes), "when to start stands only in labels"
    path = tmp_path / "t.clab.yml"
    path.write_text(text)
    again, _ = containerlab.read(path)
    assert again.network.expand().links == trial.network.expand().links
    assert again.services == {name: one for name, one in trial.services.items() if name != "load"}
    assert again.network.nodes["r"].routes == "none"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name: x\n", "no topology"),
        ("topology: {nodes: {a: {}}, links: [{endpoints: [a]}]}", "two: endpoints"),
        ('topology: {nodes: {a: {}}, links: [{endpoints: ["a:1", "b:1"]}]}', "the name of a node"),
        ("a: [", "YAML"),
    ],
)
def test_a_file_that_is_none_says_why(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.clab.yml"
    path.write_text(text)
    with pytest.raises(TrialInvalid, match=why):
        containerlab.read(path)


def test_names_that_containerlab_cannot_have_are_refused() -> None:
    trial = loads("""
trial: t
duration: 60 s
network:
  nodes: {St. Gallen: {kind: host}, b: {kind: host}}
  links: [{endpoints: [St. Gallen, b], rate: 1 Gbit/s, delay: 1 ms}]
services: {x: {kind: bulk, from: St. Gallen, to: b}}
""")
    with pytest.raises(TrialInvalid, match="without ':' and spaces"):
        containerlab.write(trial)
