"""Load a campaign from YAML, all mistakes at once with their lines: its own, its bases', and its sweeps' values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from netarium.catalog import PORT_METRICS, SERVICE_METRICS
from netarium.describe import yamltext
from netarium.describe.campaign import Campaign, FilesSweep
from netarium.describe.design import Base, Design, design_of
from netarium.describe.paths import format_path
from netarium.describe.problems import problems_of
from netarium.describe.trial import Trial
from netarium.errors import Problem, TrialInvalid, did_you_mean, one_of

POINTS_CHECKED = 200
"""Points whose trials are built to look for mistakes before anything runs; every value is in one of the first."""
PROBLEMS_SHOWN = 20
LINKS = "links."

Find = Callable[[str], Base]
Matching = Callable[[str], Sequence[str]]


def loads(text: str, find: Find, matching: Matching, *, file: str = "", folder: Path | None = None) -> Design:
    """The design of the campaign in a text. Raises TrialInvalid with every mistake, in the order of lines.

    find: the base that a word in the campaign means; matching: the files that a pattern means. Both may raise
    TrialInvalid. file: the name for messages; folder: where files of a trial written in the campaign start from.
    """
    document = yamltext.read(text)
    problems = list(document.problems)
    if not isinstance(document.data, dict):
        if not problems:
            problems.append(Problem("", "no mapping", "a campaign: keys campaign, base, sweeps, seeds, …"))
        raise TrialInvalid([_placed(problem, document, file, ()) for problem in problems])
    try:
        campaign = Campaign.model_validate(document.data)
        campaign._folder = folder
    except ValidationError as error:
        problems += problems_of(error, Campaign, document.data)
        raise TrialInvalid(_located(problems, document, file)) from None
    if problems:
        raise TrialInvalid(_located(problems, document, file))
    try:
        design = designed(campaign, find, matching, text, file)
    except TrialInvalid as invalid:
        raise TrialInvalid(_located(invalid.problems, document, file)) from None
    return design


def designed(campaign: Campaign, find: Find, matching: Matching, text: str = "", file: str = "") -> Design:
    """The design of a campaign, checked. Raises TrialInvalid with every mistake."""
    wrong = list(_bases_wrong(campaign, find, matching))
    if wrong:
        raise TrialInvalid(wrong)
    design = design_of(campaign, find, matching, text, file)
    problems, trials = _points_wrong(design)
    if not problems:
        problems += _metrics_wrong(campaign, trials)
    if problems:
        raise TrialInvalid(problems)
    return design


def _bases_wrong(campaign: Campaign, find: Find, matching: Matching) -> Iterator[Problem]:
    """Bases that cannot be found or read; their own problems keep their own file and line."""
    words: list[tuple[str, str]] = []
    if isinstance(campaign.base, str):
        words.append(("base", campaign.base))
    for index, sweep in enumerate(campaign.sweeps):
        if isinstance(sweep, FilesSweep):
            for number, pattern in enumerate(sweep.files):
                where = format_path(("sweeps", index, "files", number))
                found = matching(pattern)
                if not found:
                    yield Problem(where, f"{pattern!r}, which no file matches", "files of trials")
                words += [(where, word) for word in found]
    for where, word in words:
        try:
            find(word)
        except TrialInvalid as invalid:
            yield from (
                problem
                if problem.file and problem.line
                else dataclasses.replace(problem, where=where, file="")
                for problem in invalid.problems
            )


def _points_wrong(design: Design) -> tuple[list[Problem], list[Trial]]:
    """(problems of the trials of a set of points that has every value in it, the trials of that set)."""
    problems: dict[tuple[str, str, str], Problem] = {}
    trials = []
    for number in covering(design):
        if len(problems) >= PROBLEMS_SHOWN:
            break
        variant = design.variants[number]
        try:
            trials.append(design.trial(number, variant.seeds[0], variant.modes[0]))
        except TrialInvalid as invalid:
            for problem in invalid.problems:
                where = _where_of(design, number, problem)
                inside = problem.where if problem.where != where else ""
                found = f"{problem.found} (at {inside}, in {variant.text})" if inside else problem.found
                own = Problem(where, found, problem.expected, problem.hint)
                problems.setdefault((where, problem.where, problem.found), own)
    return list(problems.values()), trials


def covering(design: Design) -> list[int]:
    """Variants such that every value of every parameter is in one, and all of them when they are few."""
    if len(design.variants) <= POINTS_CHECKED:
        return list(range(len(design.variants)))
    seen: set[tuple[int, str, str]] = set()
    chosen = []
    for number, variant in enumerate(design.variants):
        values = {(variant.base, path, repr(value)) for path, value in variant.changes}
        if values - seen or not chosen:
            seen |= values
            chosen.append(number)
        if len(chosen) == POINTS_CHECKED:
            break
    return chosen


def _where_of(design: Design, number: int, problem: Problem) -> str:
    """The place in the campaign's file of the change that a problem of a trial comes from; else the base."""
    variant = design.variants[number]
    for (path, _), where in zip(variant.changes, design.where[number], strict=True):
        if problem.where.startswith(path):
            return format_path(where)
    if isinstance(design.campaign.base, dict):
        return f"base.{problem.where}" if problem.where else "base"
    return "base" if design.campaign.base is not None else "sweeps"


def _metrics_wrong(campaign: Campaign, trials: Sequence[Trial]) -> list[Problem]:
    """Metrics that no trial has, and a leader that is not kept."""
    services = list(dict.fromkeys(name for trial in trials for name in trial.services))
    links = [port.name for trial in trials for port in trial.network.expand().ports()]
    problems = []
    for index, window in enumerate(campaign.metrics):
        where = format_path(("metrics", index))
        if not _known(window.metric, services, links):
            problems.append(_unknown(where, window.metric, services))
        elif (window.from_ is not None or window.to is not None) and any(c in window.metric for c in "*?"):
            problems.append(Problem(where, f"{window.metric!r} over a window", "one metric, without * or ?"))
    leader = campaign.leader
    if leader is not None and leader.metric not in [window.column for window in campaign.metrics]:
        kept = any(fnmatchcase(leader.metric, window.metric) for window in campaign.metrics)
        if not kept or not _known(leader.metric, services, links):
            problems.append(_unknown("leader.metric", leader.metric, services))
    return problems


def _known(pattern: str, services: Sequence[str], links: Sequence[str]) -> bool:
    """Whether a pattern names a metric of one of the trials."""
    if pattern == "*":
        return True
    owners, table, prefix = (
        (links, PORT_METRICS, LINKS) if pattern.startswith(LINKS) else (services, SERVICE_METRICS, "")
    )
    return any(fnmatchcase(f"{prefix}{owner}.{word}", pattern) for owner in owners for word in table)


def _unknown(where: str, name: str, services: Sequence[str]) -> Problem:
    owner, _, word = name.partition(".")
    names = [f"{service}.{metric}" for service in services for metric in SERVICE_METRICS]
    expected = f"SERVICE.METRIC or links.PORT.METRIC; services: {one_of(services) if services else 'none'}"
    if owner in services:
        expected = f"a metric of {owner}: {one_of(SERVICE_METRICS, limit=len(SERVICE_METRICS))}"
    return Problem(where, repr(name), expected, did_you_mean(name, names))


def _located(problems: Sequence[Problem], document: yamltext.Document, file: str) -> list[Problem]:
    from netarium.describe.paths import parse_path
    from netarium.errors import Mistake

    located = []
    for problem in problems:
        if problem.file and problem.line:
            located.append(problem)
            continue
        try:
            path = parse_path(problem.where) if problem.where else ()
        except Mistake:
            path = ()
        located.append(_placed(problem, document, file, path))
    return sorted(dict.fromkeys(located), key=lambda each: (each.file != file, each.line, each.column))


def _placed(problem: Problem, document: yamltext.Document, file: str, path: tuple[Any, ...]) -> Problem:
    if problem.line:
        return dataclasses.replace(problem, file=problem.file or file)
    line, column = document.place(path)
    return dataclasses.replace(problem, file=file, line=line, column=column)
