"""What a campaign found, in plain sentences: which differs, by how much, how sure, how many more seeds it would take."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netarium.measure.repeats.estimates import EQUAL, NOTHING, Estimate
from netarium.measure.repeats.pairs import ALPHA, Difference, fewest_for
from netarium.show import quantity
from netarium.show.campaign import effects, variants
from netarium.show.campaign.effects import Contrast
from netarium.show.campaign.trials import Trials
from netarium.show.campaign.variants import Lead, Summary

AGAINST = 3  # values of a parameter that one sentence compares with; the report has all
ONE_CASE = "The seed changes nothing: this is one case, whatever the number of seeds"
WHAT_TO_VARY = (
    "Differences hold for exactly these settings; to learn how far they hold, let something be random, "
    "such as the arrivals of flows or a loss, or sweep what is fixed."
)
EDGES = {1: ("highest", "more"), -1: ("lowest", "less"), 0: ("highest", "more")}


def estimate(found: Estimate, unit: str, *, plus: bool = False) -> str:
    """31.2 [30.9, 31.5] Mbit/s; without an interval the value and why there is none."""
    if found.method == NOTHING or not math.isfinite(found.value):
        return quantity.MISSING
    divisor, shown = quantity.scale(_largest(found), unit)
    value = number(found, divisor, plus=plus)
    if found.low is None or found.high is None:
        return f"{value} {shown}".strip() + f" ({found.method})"
    return f"{value} {interval(found, divisor)} {shown}".strip()


def number(found: Estimate, divisor: float, *, plus: bool = False) -> str:
    """The value with as many digits as its interval deserves."""
    if not math.isfinite(found.value):
        return quantity.MISSING
    sign = "+" if plus and found.value > 0 else ""
    return sign + _digits(found.value / divisor, _decimals(found, divisor))


def interval(found: Estimate, divisor: float) -> str:
    """[low, high], or an empty text without one."""
    if found.low is None or found.high is None:
        return ""
    decimals = _decimals(found, divisor)
    return f"[{_digits(found.low / divisor, decimals)}, {_digits(found.high / divisor, decimals)}]"


def _largest(found: Estimate) -> float:
    return max(abs(value) for value in (found.value, found.low or 0.0, found.high or 0.0))


def _decimals(found: Estimate, divisor: float) -> int:
    """Two digits of the interval's half width, at least three of the value."""
    value = abs(found.value / divisor)
    three = 2 - math.floor(math.log10(value)) if value else 0
    if found.low is None or found.high is None or found.high <= found.low:
        return min(max(three, 0), 6)
    half = (found.high - found.low) / 2 / divisor
    return min(max(1 - math.floor(math.log10(half)), 0), max(three, 2), 6)


def _digits(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def percent(share: float) -> str:
    """A part as a percentage, in full digits above 10."""
    text = f"{100 * share:,.0f} %" if abs(share) >= 10 else quantity.percent(share)
    return text.replace("-", "−", 1) if share < 0 else text


def sureness(p: float, comparisons: int) -> str:
    """p = 0.003 after Holm for 12 comparisons."""
    shown = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
    return f"{shown} after Holm for {comparisons} comparisons" if comparisons > 1 else shown


def seeds(count: int) -> str:
    return "1 common seed" if count == 1 else f"{count:,} common seeds"


def advice(found: Difference, comparisons: int, needed: int | None) -> str:
    """What it would take to be sure of a difference that is not: seeds in all; never for one that is."""
    if found.n < 2:
        fewest = fewest_for(ALPHA / max(1, comparisons))
        return f"one seed cannot tell; run at least {fewest}"
    if found.mean.method == EQUAL and found.mean.value == 0:
        return "no seed made a difference, and more seeds would make none"
    if found.mean.method == EQUAL:
        return "every seed gave this very difference, and more seeds would tell no more"
    if needed is None:
        return "no reasonable number of seeds would tell them apart"
    more = max(needed - found.n, 1)
    return f"about {_many(more, 'more seed')} ({found.n + more:,} in all) would make a difference of this size sure"


def summary(trials: Trials, found: Sequence[Summary]) -> list[str]:
    """The campaign in a few sentences: what ran, which variant leads and how surely, what each parameter does."""
    sentences = [coverage(trials)]
    if trials.lead is None:
        return [*sentences, "No trial ran to its end, so there is nothing to compare."]
    if seed_does_nothing(trials):
        sentences.append(f"{ONE_CASE}. {WHAT_TO_VARY}")
    sentences += leader(trials, found)
    for contrasts in effects.of_campaign(trials, trials.lead):
        sentences.append(effect(trials, contrasts))
    return sentences


def headline(trials: Trials) -> tuple[str, str]:
    """(level, words): the answer to what was swept first; level good when it is sure, else unsure or plain."""
    if trials.lead is None:
        return "bad", "No trial ran to its end"
    if len(set(trials.seeds[trials.measured].tolist())) == 1:
        return "unsure", "One seed: no difference is sure"
    if seed_does_nothing(trials):
        return "unsure", ONE_CASE
    every = effects.of_campaign(trials, trials.lead)
    if not every:
        return "plain", f"{_many(len(trials.groups), 'variant')} measured"
    first, edge = every[0][0], EDGES[trials.direction(trials.lead)][0]
    if first.is_sure:
        average = " on average" if first.effect.blocks > 1 else ""
        return "good", f"{first.effect.first} has the {edge} {trials.lead}{average}"
    return "unsure", f"{first.effect.first} and {first.effect.second} cannot be told apart"


def seed_does_nothing(trials: Trials) -> bool:
    """Whether each variant gave one and the same lead metric at all its seeds, two or more: nothing in it is random."""
    if trials.lead is None:
        return False
    values = trials.values(trials.lead)
    every = [measured[np.isfinite(measured)] for measured in (values[group.rows] for group in trials.groups)]
    every = [measured for measured in every if len(measured)]
    return bool(every) and all(len(measured) > 1 and np.ptp(measured) == 0 for measured in every)


def coverage(trials: Trials) -> str:
    """How many variants, seeds and trials; what is missing."""
    variants_count, seed_count = len(trials.groups), len(set(trials.seeds.tolist()))
    text = f"{_many(variants_count, 'variant')}, {_many(seed_count, 'seed')}: {_many(trials.count, 'trial')}"
    if trials.planned > trials.count:
        text += f" of {trials.planned:,} so far"
    failures = trials.failures
    if failures:
        kinds = ", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in failures.most_common())
        text += f"; {kinds}, whose metrics do not count"
    if failed := int((trials.status == "failed").sum()):
        text += f"; {failed:,} failed, whose metrics do" + ("" if failures else " count")
    return text + "."


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def leader(trials: Trials, found: Sequence[Summary]) -> list[str]:
    """Which variant leads in the first metric, and which others cannot be told apart from it."""
    metric = trials.lead
    if metric is None or not found:
        return []
    unit, best = trials.unit(metric), found[0].means[metric]
    if len(found) == 1:
        return [f"{metric} is {estimate(best, unit)}."]
    edge, _ = EDGES[trials.direction(metric)]
    text = f"{edge.capitalize()} {metric}: {found[0].group.label} with {estimate(best, unit)}"
    present = [entry.group for entry in found if math.isfinite(entry.means[metric].value)]
    if len(present) < 2:
        return [text + "."]
    lead = variants.lead(trials, metric, present)
    text += f"; surely ahead of {lead.sure:,} of the other {lead.compared:,}."
    return [text, *_too_few(trials, lead), *_nearest(trials, metric, lead)]


def _too_few(trials: Trials, lead: Lead) -> list[str]:
    """Where even differences of one sign could not be sure, that is what has to be known first."""
    count, fewest = len(set(trials.seeds.tolist())), fewest_for(ALPHA / lead.compared)
    if count >= fewest or not lead.undecided or seed_does_nothing(trials):
        return []
    return [
        f"With {_many(count, 'seed')} none of {_many(lead.compared, 'comparison')} can be sure; it takes {fewest} or more."
    ]


def _nearest(trials: Trials, metric: str, lead: Lead) -> list[str]:
    """The variants that may be as good as the leader: how many, the nearest, what it would take."""
    nearest = lead.nearest
    if nearest is None:
        return []
    text = f"{_many(lead.undecided, 'variant')} cannot be told apart from it; the nearest is {nearest.second.label}"
    text += f", {gap(nearest.found, trials.unit(metric))}"
    text += f" ({sureness(nearest.p, nearest.comparisons)}, {seeds(nearest.found.n)})"
    return [f"{text}: {advice(nearest.found, nearest.comparisons, nearest.seeds_needed)}."]


def gap(found: Difference, unit: str) -> str:
    """How far the second is from the first: 1.2 [0.8, 1.6] Mbit/s (4 %) less."""
    behind = found.mean.negated() if found.mean.value < 0 else found.mean
    if behind.value == 0:
        return "with the same mean"
    word = "less" if found.mean.value > 0 else "more"
    share = "" if not found.first_mean else f" ({percent(abs(behind.value / found.first_mean))})"
    return f"{estimate(behind, unit)}{share} {word}"


def effect(trials: Trials, contrasts: Sequence[Contrast]) -> str:
    """One parameter: which value is best over all else, and by how much against each of the others."""
    first = contrasts[0]
    edge, _ = EDGES[trials.direction(first.metric)]
    unit = trials.unit(first.metric)
    text = f"{first.parameter.name}, all else equal: {first.effect.first} has the {edge} {first.metric}, "
    told = contrasts if len(contrasts) <= AGAINST + 1 else contrasts[:AGAINST]
    text += "; ".join(_against(each, unit) for each in told)
    rest = len(contrasts) - len(told)
    if rest:
        sure = sum(each.is_sure for each in contrasts[AGAINST:])
        text += (
            f"; further from {rest} others, {'surely from all' if sure == rest else f'surely from {sure}'}"
        )
    counts = sorted({each.effect.overall.n for each in contrasts})
    over = seeds(counts[0]) if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,} common seeds"
    holm = f", p after Holm for {first.comparisons} comparisons" if first.comparisons > 1 else ""
    return f"{text} ({over}{holm})."


def _against(each: Contrast, unit: str) -> str:
    """24 [23, 25] Mbit/s (30 %) more than cubic (sure: p < 0.001; ahead in 20 of 27 settings, behind in 3)."""
    found = each.effect.overall
    mean = found.mean if found.mean.value >= 0 else found.mean.negated()
    word = "more" if found.mean.value >= 0 else "less"
    share = f" ({percent(abs(found.share))})" if found.share else ""
    text = f"{estimate(mean, unit)}{share} {word} than {each.effect.second}"
    sure = "sure" if each.is_sure else "not sure"
    notes = [f"{sure}: {sureness(each.p, 1)}"]
    if each.effect.blocks > 1:
        notes.append(_settings(each))
    if not each.is_sure:
        notes.append(advice(found, each.comparisons, each.seeds_needed))
    return f"{text} ({'; '.join(notes)})"


def _settings(each: Contrast) -> str:
    """In how many settings of all else the first is surely more, surely less, and neither."""
    counted = each.effect
    behind = f", less in {counted.behind}" if counted.behind else ""
    undecided = f", undecided in {counted.undecided}" if counted.undecided else ""
    return f"more in {counted.ahead} of {counted.blocks} settings{behind}{undecided}"


def pair(trials: Trials, each: Contrast) -> str:
    """Two variants, or two values over all else: which is more in this metric, by how much, how sure."""
    found, unit, metric = each.effect.overall, trials.unit(each.metric), each.metric
    if found.mean.value == 0:
        return f"{metric}: the same mean, {quantity.in_unit(found.first_mean, unit)} ({seeds(found.n)})."
    difference = found.mean if found.mean.value > 0 else found.mean.negated()
    share = f" ({percent(abs(found.share))})" if found.share else ""
    word = "more" if found.mean.value > 0 else "less"
    text = f"{metric}: {each.effect.first} has {estimate(difference, unit)}{share} {word} than {each.effect.second}"
    if each.is_sure:
        settings = f"; {_settings(each)}" if each.effect.blocks > 1 else ""
        return (
            f"{text}, sure ({sureness(each.p, 1)}, {seeds(found.n)}, {found.size_in_words} effect{settings})."
        )
    advised = advice(found, each.comparisons, each.seeds_needed)
    return f"{text}, not sure ({sureness(each.p, 1)}, {seeds(found.n)}): {advised}."
