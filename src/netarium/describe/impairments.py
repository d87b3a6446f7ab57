"""Impairments of a port: loss, jitter, reorder, duplicate and corrupt, with netem's meanings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from netarium.describe.part import Part
from netarium.units import Ratio, Time


class BernoulliLoss(Part):
    """Every packet is lost with the same probability, independently."""

    kind: Literal["bernoulli"] = "bernoulli"
    probability: Ratio


class GilbertElliottLoss(Part):
    """Two states, good and bad, changed before each packet (Gilbert 1960, Elliott 1963; netem's gemodel)."""

    kind: Literal["gilbert_elliott"] = "gilbert_elliott"
    p: Ratio
    """Probability of good to bad."""
    r: Ratio
    """Probability of bad to good."""
    h: Ratio = 0.0
    """Probability that a packet passes in the bad state: 1 - h is lost."""
    k: Ratio = 1.0
    """Probability that a packet passes in the good state: 1 - k is lost."""


class PeriodicLoss(Part):
    """Every n-th packet is lost."""

    kind: Literal["periodic"] = "periodic"
    every: Annotated[int, Field(ge=2, strict=True)]


class Jitter(Part):
    """Random extra delay of each packet."""

    delay: Time
    """Spread: half the width (uniform) or the standard deviation (normal, pareto)."""
    distribution: Literal["uniform", "normal", "pareto"] = "uniform"
    """How the extra delay is distributed."""
    correlation: Ratio = 0.0
    """Weight of the last draw in the next, as in netem."""


class Reorder(Part):
    """Some packets skip the delay and overtake the ones before them."""

    probability: Ratio
    """Part of the packets that overtake."""
    correlation: Ratio = 0.0
    """Weight of the last draw in the next, as in netem."""
    gap: Annotated[int, Field(ge=1, strict=True)] = 1
    """Only every gap-th packet may overtake."""


def _loss(value: Any) -> Any:
    """A ratio alone is Bernoulli loss."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return {"kind": "bernoulli", "probability": value}
    return value


Loss = Annotated[
    BernoulliLoss | GilbertElliottLoss | PeriodicLoss, Field(discriminator="kind"), BeforeValidator(_loss)
]


class Impairments(Part):
    """What a port does to packets besides queueing and propagation."""

    loss: Loss | None = None
    """A ratio (independent losses), or a loss model with its kind."""
    jitter: Jitter | None = None
    """Random extra delay."""
    reorder: Reorder | None = None
    """Packets that overtake others."""
    duplicate: Ratio = 0.0
    """Part of the packets that come twice."""
    corrupt: Ratio = 0.0
    """Part of the packets that arrive damaged, which the receiver drops."""
