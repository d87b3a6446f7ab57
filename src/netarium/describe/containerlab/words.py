"""Where our own words stand in a containerlab file: link variables, and labels of nodes."""

from __future__ import annotations

VARS = "netarium"
"""links: - {endpoints: […], vars: {netarium: {rate: 1 Gbit/s, delay: 5 ms}}}"""
LABEL_PREFIX = "netarium."
"""links: - {endpoints: […], labels: {netarium.rate: 1 Gbit/s}}"""
NODE_LABEL = "netarium.node"
"""Of a node: its part of the trial, as JSON."""
COMMAND_LABEL = "netarium.command."
"""Of a node: a command that runs on it, as JSON, by name."""
LINK_KEYS = (
    "rate", "delay", "length", "overhead", "weight", "queue", "impairments", "rate_trace", "forward", "backward", "name",
)  # fmt: skip
"""What a link may state that containerlab has no key for; its mtu has one."""
EXTERNAL_KINDS = ("bridge", "ovs-bridge", "host", "ext-container")
"""Kinds of node that are something of the machine's own."""
EXTERNAL_ENDS = ("host", "mgmt-net", "macvlan")
"""Words that stand for the machine where the name of a node is expected."""
