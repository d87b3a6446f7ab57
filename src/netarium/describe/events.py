"""Events: scheduled changes of the network while a trial runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from netarium.describe.impairments import Impairments
from netarium.describe.part import NodeName, Part
from netarium.errors import Mistake
from netarium.units import PositiveRate, Time


def _link(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (list, tuple)) and 1 <= len(value) <= 2 and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise Mistake(repr(value), 'the name of a link, or its two nodes such as "[a, b]"')


# A link by its name (one item) or by its two nodes (two items).
LinkReference = Annotated[
    tuple[str, ...],
    BeforeValidator(_link),
    PlainSerializer(lambda value: value[0] if len(value) == 1 else list(value)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]


class LinkDown(Part):
    """A link fails: what is on it and in its queues is lost, routes change after the reconvergence time."""

    kind: Literal["link_down"] = "link_down"
    at: Time
    link: LinkReference


class LinkUp(Part):
    """A link works again."""

    kind: Literal["link_up"] = "link_up"
    at: Time
    link: LinkReference


class NodeDown(Part):
    """A node fails, with all its links."""

    kind: Literal["node_down"] = "node_down"
    at: Time
    node: NodeName


class NodeUp(Part):
    """A node works again."""

    kind: Literal["node_up"] = "node_up"
    at: Time
    node: NodeName


class RateChange(Part):
    """A link gets another rate, in both directions."""

    kind: Literal["rate_change"] = "rate_change"
    at: Time
    link: LinkReference
    rate: PositiveRate


class ImpairmentChange(Part):
    """A link gets other impairments, in both directions; {} takes them away."""

    kind: Literal["impairment"] = "impairment"
    at: Time
    link: LinkReference
    impairments: Impairments


Event = Annotated[
    LinkDown | LinkUp | NodeDown | NodeUp | RateChange | ImpairmentChange, Field(discriminator="kind")
]
