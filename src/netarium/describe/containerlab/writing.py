"""A trial as a containerlab topology file: nodes as Linux containers, links with their parameters in vars, commands as exec."""

from __future__ import annotations

import json
import shlex
from collections import defaultdict
from typing import Any

from netarium.describe.command import Command
from netarium.describe.containerlab.words import COMMAND_LABEL, LINK_KEYS, NODE_LABEL, VARS
from netarium.describe.trial import Trial
from netarium.errors import Problem, TrialInvalid

IMAGE = "alpine:3"
NOT_CARRIED = ("slices", "events", "probes", "projections", "expect", "transport")
MTU_DEFAULT = 1500


def write(trial: Trial, image: str = IMAGE) -> tuple[str, list[str]]:
    """(text of the file, what containerlab has no place for). Raises TrialInvalid for names it could not tell apart."""
    import io

    from ruamel.yaml import YAML

    network = trial.network.expand()
    _check_names(network.nodes)
    interfaces: dict[str, int] = defaultdict(int)
    addresses: dict[str, list[str]] = defaultdict(list)
    links = [_link(link, interfaces, addresses) for link in network.links]
    nodes: dict[str, Any] = {}
    for name, node in network.nodes.items():
        commands = {
            key: one for key, one in trial.services.items() if isinstance(one, Command) and one.node == name
        }
        nodes[name] = _node(node, commands, addresses[name], image)
    document = {"name": trial.trial, "topology": {"nodes": nodes, "links": links}}
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 100_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue(), _notes(trial, network)


def _check_names(nodes: Any) -> None:
    problems = [
        Problem(
            f'network.nodes["{name}"]', repr(name), "a name without ':' and spaces, as containerlab needs"
        )
        for name in nodes
        if ":" in name or " " in name
    ]
    if problems:
        raise TrialInvalid(problems)


def _link(link: Any, interfaces: dict[str, int], addresses: dict[str, list[str]]) -> dict[str, Any]:
    """Interfaces count from eth1, because containerlab keeps eth0 for its management network."""
    ends = []
    for node in link.endpoints:
        interfaces[node] += 1
        interface = f"eth{interfaces[node]}"
        ends.append(f"{node}:{interface}")
        addresses[node] += [f"ip addr add {text} dev {interface}" for text in link.addresses.get(node, ())]
    stated = link.model_dump(mode="json", by_alias=True, exclude_none=True)
    stated = {key: stated[key] for key in LINK_KEYS if key in stated}
    if link.delay is not None:
        stated.pop("length", None)
    entry: dict[str, Any] = {"endpoints": ends}
    if link.mtu != MTU_DEFAULT:
        entry["mtu"] = link.mtu
    return {**entry, "vars": {VARS: stated}}


def _node(node: Any, commands: dict[str, Command], addresses: list[str], image: str) -> dict[str, Any]:
    if node.kind == "external":
        base: dict[str, Any] = {"kind": "bridge"}
    else:
        base = {"kind": "linux", "image": image}
    runs = [*addresses, *(shlex.join(one.argv) for one in commands.values())]
    labels = {NODE_LABEL: _json(node)}
    labels |= {COMMAND_LABEL + name: _json(one) for name, one in commands.items()}
    return {**base, **({"exec": runs} if runs else {}), "labels": labels}


def _json(part: Any) -> str:
    stated = part.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return json.dumps(stated, ensure_ascii=False)


def _notes(trial: Trial, network: Any) -> list[str]:
    """What the file does not say, and what containerlab will not do with what it says."""
    notes = []
    others = [name for name, one in trial.services.items() if not isinstance(one, Command)]
    if others:
        notes.append(f"services other than commands are not carried: {', '.join(others)}")
    stated = trial.model_fields_set
    notes += [f"{key} is not carried" for key in NOT_CARRIED if key in stated and getattr(trial, key)]
    notes.append(
        "containerlab does not shape links: rate, delay, queues and impairments stand in vars, for netarium to read"
    )
    waiting = [
        name
        for name, one in trial.services.items()
        if isinstance(one, Command) and (one.after or one.ready or one.start)
    ]
    if waiting:
        notes.append(
            f"containerlab runs exec at once and in order; when to start stands in labels: {', '.join(waiting)}"
        )
    return notes
