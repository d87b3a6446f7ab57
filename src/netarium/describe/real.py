"""Which nodes of an emulated trial are real hosts, which services are played by programs, and what hosts are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from netarium.describe.command import Command
from netarium.describe.endpoints import resolve
from netarium.describe.links import Node
from netarium.describe.services import AnyService, Service
from netarium.errors import Mistake

if TYPE_CHECKING:
    from netarium.describe.trial import Trial

PLAYED_KINDS = ("bulk", "stream", "request_response")
"""Kinds of service that programs play on real hosts; the other abstract ones stay models."""
HOSTNAME_LETTERS_MAX = 63  # RFC 1123 section 2.1
_NOT_IN_HOSTNAMES = re.compile(r"[^A-Za-z0-9.-]+")


def emulated(trial: Trial) -> bool:
    """Whether the trial runs in real time."""
    return trial.mode == "emulate"


def is_real_service(trial: Trial, service: AnyService) -> bool:
    """Whether programs on real hosts bring this service's traffic; the engine's models do otherwise."""
    if not emulated(trial):
        return False
    return isinstance(service, Command) or (service.kind in PLAYED_KINDS and not service.modelled)


def real_nodes(trial: Trial) -> dict[str, str]:
    """Node -> why it is a real host, in the order of the nodes; empty for a simulated trial.

    Names that mean nothing are left out: they are problems of their own (whole.py).
    """
    if not emulated(trial):
        return {}
    nodes = trial.network.expand().nodes
    why = {name: "real: true" for name, node in nodes.items() if node.real}
    why |= {name: "a way out" for name, node in nodes.items() if node.attach is not None}
    for name, service in trial.services.items():
        if is_real_service(trial, service):
            for node in ends_of(service, nodes):
                why.setdefault(node, f"services.{name}")
    return {name: why[name] for name in nodes if name in why}


def ends_of(service: AnyService, nodes: Mapping[str, Node]) -> list[str]:
    """The nodes that a real service runs on, or talks to."""
    if isinstance(service, Command):
        return [name for name in (service.node, service.to) if name is not None and name in nodes]
    assert isinstance(service, Service)
    found = []
    for names in (service.from_, service.to):
        try:
            found += resolve(names, nodes)
        except Mistake:
            continue
    return found


def hostname_of(node: str) -> str:
    """The host name of a node: its name, with '-' for what host names cannot have (RFC 1123 section 2.1)."""
    return _NOT_IN_HOSTNAMES.sub("-", node).strip("-.")[:HOSTNAME_LETTERS_MAX] or "host"
