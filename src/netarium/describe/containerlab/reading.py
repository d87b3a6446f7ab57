"""A containerlab topology file as a trial: nodes become real hosts, `exec` becomes commands, addresses go to the links.

Format: https://containerlab.dev/manual/topo-def-file. What a trial has no place for (images, binds, startup files …) is listed
with the result, never dropped in silence.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netarium.describe import yamltext
from netarium.describe.addresses import check_ends
from netarium.describe.containerlab.words import (
    COMMAND_LABEL,
    EXTERNAL_ENDS,
    EXTERNAL_KINDS,
    LABEL_PREFIX,
    LINK_KEYS,
    NODE_LABEL,
    VARS,
)
from netarium.describe.trial import Trial
from netarium.errors import Mistake, Problem, TrialInvalid

DEFAULT_RATE, DEFAULT_DELAY = "10 Gbit/s", "10 us"
"""containerlab's links are veth pairs without rate or delay; a trial's have both."""
_LAYERS = ("defaults", "kinds", "groups")
_UNDERSTOOD_NODE = {"kind", "group", "exec", "env", "labels"}
_UNDERSTOOD_LINK = {"endpoints", "labels", "vars", "mtu", "type"}
_ADDRESS = re.compile(r"ip (?:-4 |-6 )?addr(?:ess)? (?:add|replace) (\S+) dev (\S+)")
_LINK_UP = re.compile(r"ip link set (?:dev )?(\S+) (?:.*\s)?up")
_ROUTE = re.compile(r"ip (?:-4 |-6 )?ro(?:ute)? (?:add|replace|del|delete)\b.*")


@dataclass
class _Reader:
    """One file on its way to a trial; `notes` collects what is not carried."""

    topology: Mapping[str, Any]
    duration: str
    notes: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    interfaces: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def trial(self, name: str) -> dict[str, Any]:
        nodes, commands = {}, {}
        links = self._links()
        counts = Counter(end for link in links for end in link["endpoints"])
        for node, stated in (self.topology.get("nodes") or {}).items():
            merged = self._merged(stated or {})
            nodes[node] = self._node(node, merged, counts[node])
            commands |= self._commands(node, merged, links)
        for end in counts:
            if end not in nodes and end in EXTERNAL_ENDS:
                nodes[end] = {"kind": "external"}
                self.notes[f"{end}: an end at the machine itself; give it attach: to join it"] += 1
        return {
            "trial": re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_") or "lab",
            "duration": self.duration,
            "mode": "emulate",
            "network": {
                "nodes": nodes,
                "links": links,
                "defaults": {"rate": DEFAULT_RATE, "delay": DEFAULT_DELAY},
            },
            "services": commands,
        }

    def _merged(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        """Node settings with those of defaults, kind and group below them; `exec` of all, in that order."""
        layers = [self.topology.get("defaults") or {}]
        kind = stated.get("kind") or (self._layer("groups", stated.get("group")) or {}).get("kind")
        kind = kind or layers[0].get("kind")
        layers += [self._layer("kinds", kind), self._layer("groups", stated.get("group")), stated]
        merged: dict[str, Any] = {}
        for layer in layers:
            for key, value in (layer or {}).items():
                if key == "exec":
                    merged[key] = [*merged.get(key, []), *(value or [])]
                elif isinstance(value, Mapping):
                    merged[key] = {**merged.get(key, {}), **value}
                else:
                    merged[key] = value
        return merged

    def _layer(self, family: str, word: Any) -> Mapping[str, Any]:
        return ((self.topology.get(family) or {}).get(word) or {}) if word else {}

    # -- links

    def _links(self) -> list[dict[str, Any]]:
        links = []
        for index, stated in enumerate(self.topology.get("links") or []):
            ends = [self._end(index, end) for end in self._ends(stated)]
            if len(ends) != 2 or None in ends:
                where = f"topology.links[{index}]"
                found = f"a link of {len(ends)} ends that are nodes"
                self.problems.append(Problem(where, found, 'two: endpoints: ["a:eth1", "b:eth1"]'))
                continue
            link: dict[str, Any] = {"endpoints": [ends[0][0], ends[1][0]]}
            for node, interface in ends:
                self.interfaces[node, interface] = (len(links), node)
            link |= self._parameters(stated)
            links.append(link)
        return links

    @staticmethod
    def _ends(stated: Mapping[str, Any]) -> list[Any]:
        if "endpoint" in stated:  # host, mgmt-net, macvlan … have one
            return [stated["endpoint"], f"{stated.get('type')}:{stated.get('host-interface', 'x')}"]
        return list(stated.get("endpoints") or [])

    def _end(self, index: int, end: Any) -> tuple[str, str] | None:
        """(node, interface) of "a:eth1", or {node: a, interface: eth1}."""
        if isinstance(end, Mapping) and "node" in end:
            return str(end["node"]), str(end.get("interface", ""))
        if isinstance(end, str) and ":" in end:
            node, _, interface = end.partition(":")
            return node, interface
        return None

    def _parameters(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        link: dict[str, Any] = {}
        variables, labels = stated.get("vars") or {}, stated.get("labels") or {}
        link |= dict(variables.get(VARS) or {})
        link |= {
            key.removeprefix(LABEL_PREFIX): yamltext.value(str(value))
            for key, value in labels.items()
            if key.startswith(LABEL_PREFIX)
        }
        if stated.get("mtu"):
            link["mtu"] = f"{stated['mtu']} B"
        self._left("link vars", set(variables) - {VARS})
        self._left("link labels", {key for key in labels if not key.startswith(LABEL_PREFIX)})
        self._left("link", set(stated) - _UNDERSTOOD_LINK - {"endpoint", "host-interface"})
        unknown = set(link) - set(LINK_KEYS) - {"mtu", "addresses"}
        self._left(f"link vars.{VARS}", unknown)
        return {key: value for key, value in link.items() if key not in unknown}

    def _left(self, what: str, keys: set[str]) -> None:
        for key in sorted(keys):
            self.notes[f"{what}: {key} is not carried"] += 1

    # -- nodes

    def _node(self, name: str, merged: Mapping[str, Any], links: int) -> dict[str, Any]:
        labels = merged.get("labels") or {}
        if NODE_LABEL in labels:
            return dict(json.loads(labels[NODE_LABEL]))
        ours = {key for key in labels if key.startswith(LABEL_PREFIX)}
        self._left("node labels", set(labels) - ours)
        self._left("node", set(merged) - _UNDERSTOOD_NODE - {"startup-config"})
        if merged.get("startup-config"):
            self.notes["node: startup-config is not carried; start its daemons with commands"] += 1
        if merged.get("kind") in EXTERNAL_KINDS:
            self.notes[f"{name}: kind {merged['kind']} is the machine's own; give it attach: to join it"] += 1
            return {"kind": "external"}
        return {"kind": "host" if links == 1 else "router", "real": True}

    def _commands(
        self, node: str, merged: Mapping[str, Any], links: list[dict[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        labels = merged.get("labels") or {}
        kept = {
            key.removeprefix(COMMAND_LABEL): json.loads(value)
            for key, value in labels.items()
            if key.startswith(COMMAND_LABEL)
        }
        commands: dict[str, dict[str, Any]] = {}
        previous = ""
        for text in merged.get("exec") or []:
            if self._is_network(node, str(text), links) or kept:
                continue
            name = f"{re.sub(r'[^A-Za-z0-9_-]+', '-', node).strip('-_')}-exec{len(commands)}"
            command: dict[str, Any] = {"kind": "command", "node": node, "argv": shlex.split(str(text))}
            if merged.get("env"):
                command["env"] = {key: str(value) for key, value in merged["env"].items()}
            if previous:
                command["after"] = previous
            commands[name], previous = command, name
        return kept or commands

    def _is_network(self, node: str, text: str, links: list[dict[str, Any]]) -> bool:
        """Addresses go to the links; interfaces are up and routes there without being told."""
        text = " ".join(text.split())
        if match := _ADDRESS.fullmatch(text):
            return self._addressed(node, match[1], match[2], links)
        if _LINK_UP.fullmatch(text):
            return True
        if _ROUTE.fullmatch(text):
            self.notes[
                f"exec: {text.split(' dev ')[0]!r} is not carried: routes follow from the network"
            ] += 1
            return True
        return False

    def _addressed(self, node: str, address: str, interface: str, links: list[dict[str, Any]]) -> bool:
        place = self.interfaces.get((node, interface))
        if place is None:
            self.notes[
                f"exec: the address {address} of {node}:{interface}, which is on no link, is not carried"
            ] += 1
            return True
        given = links[place[0]].setdefault("addresses", {})
        try:
            check_ends({**given, node: (*given.get(node, ()), address)}, tuple(links[place[0]]["endpoints"]))
        except (Mistake, ValueError) as error:
            self.notes[f"exec: the address {address} of {node} is not carried: {error}"] += 1
            return True
        given[node] = [*given.get(node, []), address]
        return True


def read(path: str | Path, duration: str = "60 s") -> tuple[Trial, list[str]]:
    """(the trial of a containerlab file, what was not carried and what was assumed). Raises TrialInvalid."""
    path = Path(path)
    try:
        document = yamltext.read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrialInvalid([Problem("", str(error), "a containerlab file", file=str(path))]) from None
    data = document.data
    if document.problems or not isinstance(data, dict) or not isinstance(data.get("topology"), dict):
        problems = document.problems or [
            Problem("topology", "no topology", "a containerlab file (*.clab.yml)")
        ]
        raise TrialInvalid(
            [Problem(p.where, p.found, p.expected, p.hint, str(path), p.line, p.column) for p in problems]
        )
    reader = _Reader(data["topology"], duration)
    described = reader.trial(str(data.get("name", path.name.split(".")[0])))
    for key in sorted(set(data) - {"name", "topology"}):
        reader.notes[f"{key} is not carried"] += 1
    from netarium.describe.loader import build

    trial, problems = build(described, path.resolve().parent)
    problems = [*reader.problems, *problems]
    if trial is None or problems:
        raise TrialInvalid([Problem(p.where, p.found, p.expected, p.hint, str(path)) for p in problems])
    assumed = [link for link in described["network"]["links"] if "rate" not in link]
    notes = [f"{text} ({count} times)" if count > 1 else text for text, count in reader.notes.items()]
    if assumed:
        notes.append(
            f"links without a rate or delay have {DEFAULT_RATE} and {DEFAULT_DELAY}: see network.defaults"
        )
    notes.append("interfaces are called eth0, eth1 … in the order of the links")
    return trial, notes
