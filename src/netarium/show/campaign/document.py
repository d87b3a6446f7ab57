"""A campaign's statistics as one JSON document, for `netarium show CAMPAIGN --json`; see docs/campaign-report.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from netarium.measure.repeats.estimates import Estimate
from netarium.show.campaign import causes, effects, tables, words
from netarium.show.campaign.effects import Contrast
from netarium.show.campaign.trials import Trials
from netarium.show.campaign.variants import Summary

FORMAT = 1


def of(trials: Trials, found: Sequence[Summary]) -> dict[str, Any]:
    """Everything that the report says, without the single trials, which are in results/."""
    every = [
        each
        for metric in trials.metrics
        for contrasts in effects.of_campaign(trials, metric)
        for each in contrasts
    ]
    return {
        "format": FORMAT,
        "campaign": trials.name,
        "complete": trials.record.complete,
        "trials": trials.count,
        "measured": int(trials.measured.sum()),
        "sentences": words.summary(trials, found),
        "leader": trials.lead,
        "parameters": [{"name": p.name, "path": p.path, "values": list(p.levels)} for p in trials.parameters],
        "variants": [_variant(trials, entry) for entry in found],
        "effects": [{"parameter": each.parameter.name, **contrast(each)} for each in every],
        "failures": [
            {"status": each.status, "cause": each.text, "trials": each.trials, "such_as": each.example}
            for each in causes.of(trials)
        ],
    }


def _variant(trials: Trials, entry: Summary) -> dict[str, Any]:
    levels = {p.name: level for p, level in zip(trials.parameters, entry.group.levels, strict=False)}
    metrics = {
        name: {"mean": estimate(entry.means[name]), "median": estimate(entry.medians[name])}
        for name in entry.means
    }
    verdicts = {name: estimate(of(entry)) for name, of in tables.JUDGED if of(entry) is not None}
    return {
        "parameters": levels,
        "trials": entry.count,
        "measured": entry.measured,
        "metrics": metrics,
        **verdicts,
    }


def contrast(each: Contrast) -> dict[str, Any]:
    """One comparison, in SI units; p is corrected for `comparisons` (Holm)."""
    found = each.effect.overall
    return {
        "metric": each.metric,
        "first": each.effect.first,
        "second": each.effect.second,
        "first_mean": _number(found.first_mean),
        "second_mean": _number(found.second_mean),
        "difference": estimate(found.mean),
        "hodges_lehmann": estimate(found.shift),
        "share": _number(found.share),
        "cliffs_delta": _number(found.delta),
        "p": _number(each.p),
        "comparisons": each.comparisons,
        "sure": each.is_sure,
        "seeds": found.n,
        "seeds_needed": each.seeds_needed,
        "settings": {
            "more": each.effect.ahead,
            "less": each.effect.behind,
            "undecided": each.effect.undecided,
        },
    }


def estimate(found: Estimate | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "value": _number(found.value),
        "low": _number(found.low),
        "high": _number(found.high),
        "n": found.n,
        "method": found.method,
    }


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
