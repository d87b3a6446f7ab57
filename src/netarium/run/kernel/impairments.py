"""Impairments of a link: loss, corruption, duplication, jitter and reordering, with the meanings of netem
(tc-netem(8); Linux: sch_netem.c). They act on a packet that has left the transmitter.

Loss: independent (bernoulli), in bursts (gilbert_elliott: Gilbert 1960, Elliott 1963; a packet is judged by
the state it finds, then the state may change, as in netem's gemodel; the first finds the good one), or
every n-th packet (periodic). Jitter: a random number x of mean 0 is added to the delay: uniform in +-delay,
or normal or pareto (shape 3) with the standard deviation `delay`, cut at 4 of them as netem's tables are;
the whole delay is never below 0. Correlation is netem's: the random number in [0, 1) behind it is (1 - rho)
* new + rho * last, which also narrows the spread. Reordering: every `gap`-th packet, with the probability
given, skips the whole delay and overtakes those before it.

Deviations: distributions are computed, not tabulated (netem looks a correlated number up by its low bits,
which undoes the correlation); loss is drawn before duplication, so a duplicated packet is never half lost;
every draw is of 53 bits.
"""

from __future__ import annotations

import math
from typing import Any

from .jit import kernel
from .records import record
from .rng import next_uniform

NO_LOSS, BERNOULLI, GILBERT_ELLIOTT, PERIODIC = range(4)
NO_JITTER, UNIFORM, NORMAL, PARETO = range(4)
GOOD, BAD = 0, 1

CUT = 4.0
"""netem's tables end at 4 standard deviations (NETEM_DIST_SCALE 8192, largest entry 32767)."""
PARETO_SHAPE = 3.0
"""netem's maketable for pareto.dist."""
PARETO_MEAN = 1.5
PARETO_DEVIATION = 0.8660254037844386
"""Mean and standard deviation of a Pareto distribution of shape 3 and scale 1: 3/2, sqrt(3)/2."""

IMPAIRMENT = record(
    ("stream", "i4", "its random stream"),
    ("jittered", "i4", "1 when packets may overtake one another: jitter or reordering"),
    ("loss", "i4", "NO_LOSS, BERNOULLI, GILBERT_ELLIOTT or PERIODIC"),
    ("state", "i4", "gilbert_elliott: GOOD or BAD"),
    ("every", "i8", "periodic: the n of every n-th"),
    ("count", "i8", "periodic: packets since the last loss"),
    ("probability", "f8", "bernoulli: of loss"),
    ("p", "f8", "gilbert_elliott: of good to bad"),
    ("r", "f8", "gilbert_elliott: of bad to good"),
    ("loss_good", "f8", "gilbert_elliott: of loss in the good state, 1 - k"),
    ("loss_bad", "f8", "gilbert_elliott: of loss in the bad state, 1 - h"),
    ("corrupt", "f8", "probability of corruption"),
    ("duplicate", "f8", "probability of duplication"),
    ("distribution", "i4", "of jitter: NO_JITTER, UNIFORM, NORMAL or PARETO"),
    ("gap", "i4", "reordering: only every gap-th packet"),
    ("jitter_ps", "i8", "half the width (uniform) or the standard deviation"),
    ("jitter_correlation", "f8", "weight of the last random number in the next"),
    ("jitter_last", "f8", "last random number of jitter"),
    ("reorder", "f8", "probability of reordering"),
    ("reorder_correlation", "f8", "weight of the last random number in the next"),
    ("reorder_last", "f8", "last random number of reordering"),
    ("gap_count", "i8", "packets since the last reordered one"),
)


@kernel
def lost(impairment, stream):
    """Whether the link loses the next packet."""
    kind = impairment.loss
    if kind == NO_LOSS:
        return False
    if kind == BERNOULLI:
        return next_uniform(stream) < impairment.probability
    if kind == GILBERT_ELLIOTT:
        return lost_in_bursts(impairment, stream)
    impairment.count += 1
    if impairment.count < impairment.every:
        return False
    impairment.count = 0
    return True


@kernel
def lost_in_bursts(impairment, stream):
    """Gilbert-Elliott: one draw for the state, one for the packet."""
    change = next_uniform(stream)
    chance = next_uniform(stream)
    if impairment.state == GOOD:
        if change < impairment.p:
            impairment.state = BAD
        return chance < impairment.loss_good
    if change < impairment.r:
        impairment.state = GOOD
    return chance < impairment.loss_bad


@kernel
def corrupted(impairment, stream):
    """Whether the link corrupts the next packet."""
    return impairment.corrupt > 0.0 and next_uniform(stream) < impairment.corrupt


@kernel
def duplicated(impairment, stream):
    """Whether the link delivers the next packet twice."""
    return impairment.duplicate > 0.0 and next_uniform(stream) < impairment.duplicate


@kernel
def reordered(impairment, stream):
    """Whether the next packet skips the delay (netem_enqueue)."""
    if impairment.reorder <= 0.0:
        return False
    if impairment.gap_count < impairment.gap - 1:
        impairment.gap_count += 1
        return False
    rho = impairment.reorder_correlation
    draw = (1.0 - rho) * next_uniform(stream) + rho * impairment.reorder_last
    impairment.reorder_last = draw
    if draw >= impairment.reorder:
        impairment.gap_count += 1
        return False
    impairment.gap_count = 0
    return True


@kernel
def extra_delay_ps(impairment, stream, delay_ps):
    """What is added to the propagation delay `delay_ps` of the next packet: -delay_ps or more."""
    if reordered(impairment, stream):
        return -delay_ps
    if impairment.distribution == NO_JITTER:
        return 0
    rho = impairment.jitter_correlation
    draw = (1.0 - rho) * next_uniform(stream) + rho * impairment.jitter_last
    impairment.jitter_last = draw
    if impairment.distribution == UNIFORM:
        deviation = 2.0 * draw - 1.0
    elif impairment.distribution == NORMAL:
        deviation = normal_quantile(draw)
    else:
        deviation = (math.pow(1.0 - draw, -1.0 / PARETO_SHAPE) - PARETO_MEAN) / PARETO_DEVIATION
    deviation = min(CUT, max(-CUT, deviation))
    extra_ps = int(math.floor(deviation * impairment.jitter_ps))
    return max(-delay_ps, extra_ps)


@kernel
def normal_quantile(u):
    """The standard normal distribution's quantile of u in [0, 1), to 1.2e-9 (Acklam, "An algorithm for
    computing the inverse normal cumulative distribution function", 2003); beyond +-8 cut."""
    if u < 1e-15:
        return -8.0
    if u > 1.0 - 1e-15:
        return 8.0
    if u < 0.02425:
        return tail_quantile(u)
    if u > 1.0 - 0.02425:
        return -tail_quantile(1.0 - u)
    q = u - 0.5
    r = q * q
    over = ((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r
    over = (((over + 1.383577518672690e02) * r - 3.066479806614716e01) * r + 2.506628277459239e00) * q
    under = ((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r
    under = ((under + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0
    return over / under


@kernel
def tail_quantile(u):
    """The quantile in the lower tail, u below 0.02425."""
    q = math.sqrt(-2.0 * math.log(u))
    over = ((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e00) * q
    over = ((over - 2.549732539343734e00) * q + 4.374664141464968e00) * q + 2.938163982698783e00
    under = ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e00) * q
    under = (under + 3.754408661907416e00) * q + 1.0
    return over / under


def encode(impairment: Any, spec: Any, stream: int) -> None:
    """Fill an IMPAIRMENT record from the impairments of the description (describe/impairments.py)."""
    impairment.stream = stream
    impairment.corrupt = spec.corrupt
    impairment.duplicate = spec.duplicate
    impairment.jittered = int(spec.jitter is not None or spec.reorder is not None)
    _encode_loss(impairment, spec.loss)
    if spec.jitter is not None:
        kinds = {"uniform": UNIFORM, "normal": NORMAL, "pareto": PARETO}
        impairment.distribution = kinds[spec.jitter.distribution]
        impairment.jitter_ps = spec.jitter.delay
        impairment.jitter_correlation = spec.jitter.correlation
        impairment.jitter_last = 0.5
    if spec.reorder is not None:
        impairment.gap = spec.reorder.gap
        impairment.reorder = spec.reorder.probability
        impairment.reorder_correlation = spec.reorder.correlation
        impairment.reorder_last = 0.5


def _encode_loss(impairment: Any, loss: Any) -> None:
    if loss is None:
        return
    if loss.kind == "bernoulli":
        impairment.loss = BERNOULLI
        impairment.probability = loss.probability
    elif loss.kind == "periodic":
        impairment.loss = PERIODIC
        impairment.every = loss.every
    else:
        impairment.loss = GILBERT_ELLIOTT
        impairment.p, impairment.r = loss.p, loss.r
        impairment.loss_good, impairment.loss_bad = 1.0 - loss.k, 1.0 - loss.h
