"""Two variants of a campaign, or two values over all else, named in words: `bbr` and `cubic`, `bbr, 2 MB` and `reno, 2 MB`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netarium.errors import RecordError, did_you_mean, one_of
from netarium.measure.repeats import factors, holm, power
from netarium.show.campaign.effects import Contrast
from netarium.show.campaign.trials import Parameter, Trials

METRICS = 12

Choice = dict[str, str]  # path of a parameter -> one of its values


def compare(trials: Trials, first: str, second: str, metrics: Sequence[str] | None = None) -> list[Contrast]:
    """One entry per metric (default: the first METRICS of the campaign), p-values corrected for their number.

    first, second: values of the same parameters, separated by commas; `name=value` where a value is not clear.
    Everything that they leave open is held equal and averaged over. Raises RecordError: a value that is not
    there, different parameters, the same choice twice, no common seed.
    """
    one, other = choice(trials, first), choice(trials, second)
    _check(trials, one, other)
    parameters = [p for p in trials.parameters if p.path in one]
    labels = _labels(trials, parameters, one, other)
    blocks = trials.blocks(apart_from=parameters)
    names = list(metrics) if metrics else trials.metrics[:METRICS]
    found = []
    for metric in names:
        values = trials.values(trials.check_metric(metric))
        effect = factors.effect(
            labels, blocks, trials.seeds, values, label(trials, one), label(trials, other)
        )
        if effect is not None:
            found.append((metric, effect))
    if not found:
        raise RecordError(f"{first!r} and {second!r} have no setting and seed in common that were measured")
    p_values = holm.adjusted([effect.overall.p for _, effect in found])
    shown = Parameter(", ".join(p.name for p in parameters), "", (), None)
    return [
        Contrast(shown, metric, effect, p, len(found), power.seeds_needed(effect.overall, len(found)))
        for (metric, effect), p in zip(found, p_values, strict=True)
    ]


def choice(trials: Trials, text: str) -> Choice:
    """What "bbr, limit=2 MB" means. Raises RecordError with the nearest value that there is."""
    found: Choice = {}
    for word in (part.strip() for part in text.replace(" · ", ",").split(",")):
        parameter, value = _one(trials, word)
        if found.get(parameter.path, value) != value:
            raise RecordError(f"{text!r}: found two values of {parameter.name}, expected one")
        found[parameter.path] = value
    return found


def _one(trials: Trials, word: str) -> tuple[Parameter, str]:
    name, equals, value = (part.strip() for part in word.partition("="))
    named = [p for p in trials.parameters if equals and name in (p.name, p.path)]
    places = [(p, value) for p in named if value in p.levels] or [
        (p, word) for p in trials.parameters if word in p.levels
    ]
    if len(places) == 1:
        return places[0]
    if places:
        names = one_of(f"{p.name}={word}" for p, _ in places)
        raise RecordError(f"found {word!r}, which is a value of several parameters; write {names}")
    every = [level for p in named or trials.parameters for level in p.levels]
    if not every:
        raise RecordError(f"found {word!r}, but nothing was swept in this campaign; there is one variant")
    hint = did_you_mean(value if named else word, every)
    raise RecordError(f"found {word!r}, expected {one_of(every)}; {hint}".rstrip("; "))


def _check(trials: Trials, one: Choice, other: Choice) -> None:
    if one == other:
        raise RecordError(f"found {label(trials, one)!r} twice, expected two different variants")
    if one.keys() != other.keys():
        names = {p.path: p.name for p in trials.parameters}
        only = sorted(names[path] for path in one.keys() ^ other.keys())
        raise RecordError(
            f"found {', '.join(only)} in one of the two only, expected values of the same parameters"
        )


def label(trials: Trials, chosen: Choice) -> str:
    return " · ".join(chosen[p.path] for p in trials.parameters if p.path in chosen)


def _labels(trials: Trials, parameters: Sequence[Parameter], one: Choice, other: Choice) -> list[str]:
    """The label of the choice that each trial belongs to; empty for the others."""
    labels = np.full(trials.count, "", dtype=object)
    for chosen in (one, other):
        inside = np.ones(trials.count, dtype=bool)
        for parameter in parameters:
            inside &= trials.levels(parameter) == chosen[parameter.path]
        labels[inside] = label(trials, chosen)
    return labels.tolist()
