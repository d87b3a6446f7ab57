"""The HTML report of a campaign: one file that needs nothing else, neither network nor scripts."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netarium.measure.repeats.estimates import CONFIDENCE
from netarium.show import pages, quantity
from netarium.show.campaign import causes, effects, tables, words
from netarium.show.campaign.effects import Contrast
from netarium.show.campaign.plots.scene import seed_range
from netarium.show.campaign.trials import MODE, Trials
from netarium.show.campaign.variants import Summary, summaries
from netarium.show.pages import Cell, Grid, Picture, columns, marked
from netarium.store.campaigns import TYPED

VARIANTS, TRIALS, FAILED, CAUSES = 1000, 2000, 500, 100  # most rows of a kind
METRICS, EFFECT_METRICS = 8, 6  # most columns, most metrics of the table of effects
LEVELS = {"succeeded": "good", "failed": "unsure"}
TITLES = {
    "effects": "effect of each parameter (one parameter only: see the variants)",
    "heat": "heat map (needs two parameters)",
    "frontier": "throughput and delay (needs both of one service)",
    "boxes": "variants",
    "slowdown": "flow-completion slowdown (needs run folders with flows of several sizes)",
    "parallel": "parallel coordinates (needs three axes)",
    "modes": "simulated and emulated (needs both modes)",
}


def write(trials: Trials, found: Sequence[Summary] | None = None, path: Path | None = None) -> Path:
    """Writes the report (default: report.html in the campaign's folder), whole or not at all; returns its path."""
    target = trials.record.path / "report.html" if path is None else Path(path)
    links = os.path.relpath(trials.record.path, target.parent)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        text = html(
            trials, summaries(trials) if found is None else found, "" if links == "." else f"{links}/"
        )
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def html(trials: Trials, found: Sequence[Summary], links: str = "") -> str:
    """The report as text. links: path from the page's folder to the campaign's, empty or ending in a slash."""
    pictures, absent = _pictures(trials, found, links)
    level, headline = words.headline(trials)
    document = trials.record.document
    failed = np.flatnonzero(trials.status != causes.SUCCEEDED)
    values: dict[str, Any] = {
        "name": trials.name,
        "title": trials.title,
        "counts": _counts(trials),
        "started": str(document.get("started") or "").replace("T", " ").removesuffix("Z"),
        "level": level,
        "headline": headline,
        "sentences": words.summary(trials, found),
        "complete": trials.record.complete and trials.count >= trials.planned,
        "missing": f"{max(trials.planned - trials.count, 0):,} of {trials.planned:,}",
        "one_seed": tables.only_once(found),
        "problems": trials.record.problems,
        "lead": trials.lead,
        "variants": _variants(trials, found, links),
        "effects": _effects(trials),
        "figures": pictures,
        "absent": absent,
        "causes": _causes(trials),
        "failed": _trials(trials, failed[:FAILED], links, len(failed) - FAILED),
        "trials": _trials(trials, np.arange(min(trials.count, TRIALS)), links, trials.count - TRIALS),
        "again": f"netarium campaign {shlex.quote(str(trials.record.path / TYPED))}",
        "text": _typed(trials),
        "file": TYPED,
        "identity": _identity(trials),
        "machine": [(str(name).replace("_", " "), _plain(value)) for name, value in (document.get("machine") or {}).items()],
        "version": str((document.get("versions") or {}).get("netarium", "")),
        "folder": trials.record.name,
    }  # fmt: skip
    return pages.fill("campaign.html.j2", sections=_sections(values), **values)


def _sections(values: dict[str, Any]) -> list[tuple[str, str]]:
    named = [("variants", "Variants"), ("effects", "Effects"), ("figures", "Figures"), ("failed", "What did not succeed"),
             ("trials", "Trials"), ("repeat", "How to repeat"), ("machine", "Machine")]  # fmt: skip
    return [(anchor, name) for anchor, name in named if values.get(anchor, True)]


def _counts(trials: Trials) -> str:
    seeds = np.unique(trials.seeds).tolist()
    modes = " and ".join(sorted(set(map(str, trials.mode))))
    named = seed_range(seeds).removesuffix(", no interval")
    return f"{trials.count:,} trials, {len(trials.groups):,} variants, {named}, {modes}"


def _pictures(trials: Trials, found: Sequence[Summary], links: str) -> tuple[list[Picture], list[str]]:
    from netarium.show import plots as of_runs
    from netarium.show.campaign import plots

    drawings = plots.draw(trials, found, width_in=of_runs.PAGE_IN, links=links)
    drawn = {drawing.name for drawing in drawings}
    return pages.pictures(drawings), [TITLES.get(name, name) for name in plots.FIGURES if name not in drawn]


def _variants(trials: Trials, found: Sequence[Summary], links: str) -> Grid | None:
    if trials.lead is None:
        return None
    metrics = trials.metrics[:METRICS]
    scales = {metric: tables.column_scale(trials, found, metric) for metric in metrics}
    names = [parameter.name for parameter in trials.parameters] or ["trial"]
    names += [">seeds", *(f">{metric}{_in(scales[metric][1])}" for metric in metrics)]
    judged = [(name, of) for name, of in tables.JUDGED if any(of(entry) is not None for entry in found)]
    names += [f">{name} [{CONFIDENCE:.0%}]".replace("%", " %") for name, _ in judged]
    grid = Grid(columns(*names), more=max(0, len(found) - VARIANTS))
    for entry in found[:VARIANTS]:
        row: list[Cell] = list(entry.group.levels or (entry.group.label,))
        folder = next(
            (place for place in (trials.link(int(r), links) for r in entry.group.rows) if place), None
        )
        if folder is not None:
            row[0] = pages.linked(folder, str(row[0]))
        row.append(tables.counted(entry))
        row += [" ".join(tables.cells(entry.means[metric], scales[metric][0])) for metric in metrics]
        row += [_share(of(entry)) for _, of in judged]
        grid.rows.append(row)
    return grid


def _in(unit: str) -> str:
    return f", {unit}" if unit else ""


def _share(found: Any) -> str:
    """18/20 [70, 98] %."""
    if found is None or not found.n:
        return quantity.MISSING
    return f"{tables.of_total(found)} [{100 * found.low:.0f}, {100 * found.high:.0f}] %"


def _effects(trials: Trials) -> Grid | None:
    metrics = trials.metrics[:EFFECT_METRICS]
    rows = [
        each for metric in metrics for contrasts in effects.of_campaign(trials, metric) for each in contrasts
    ]
    if not rows:
        return None
    names = ("metric", "parameter", "best", "against", ">difference [95 %]", ">share", "", ">p (Holm)", ">seeds",
             ">settings + / − / ?", ">seeds for sure", ">Hodges-Lehmann [95 %]", ">Cliff's delta")  # fmt: skip
    return Grid(columns(*names), [_effect(trials, each) for each in rows])


def _effect(trials: Trials, each: Contrast) -> list[Cell]:
    found, unit = each.effect.overall, trials.unit(each.metric)
    counted = each.effect
    verdict = marked("good", "sure") if each.is_sure else marked("unsure", "not sure")
    share = words.percent(found.share) if found.share is not None else quantity.MISSING
    settings = (
        f"{counted.ahead} / {counted.behind} / {counted.undecided}"
        if counted.blocks > 1
        else quantity.MISSING
    )
    return [
        each.metric, each.parameter.name, counted.first, counted.second, words.estimate(found.mean, unit, plus=True),
        share, verdict, "< 0.001" if each.p < 0.001 else f"{each.p:.2g}", str(found.n), settings,
        f"{each.seeds_needed:,}" if each.seeds_needed is not None else quantity.MISSING,
        words.estimate(found.shift, unit, plus=True), f"{found.delta:+.2f}",
    ]  # fmt: skip


def _causes(trials: Trials) -> Grid | None:
    found = causes.at_most(causes.of(trials), CAUSES, "results/")
    rows = [(marked(LEVELS.get(each.status, "bad"), each.status.replace("_", " ")), f"{each.trials:,}",
             each.text or quantity.MISSING, each.example) for each in found]  # fmt: skip
    return Grid(columns("ended", ">trials", "~cause", "~such as"), rows) if rows else None


def _trials(trials: Trials, rows: np.ndarray, links: str, more: int = 0) -> Grid | None:
    if not len(rows):
        return None
    labels, lead = trials.label_of_rows(), trials.lead
    values = trials.values(lead) if lead else np.full(trials.count, np.nan)
    wall = trials.table["wall_s"].to_numpy().astype(float)
    modes = [p for p in trials.parameters if p.path == MODE]
    names = ["variant", ">seed", *(["mode"] if not modes else []), "status", *([f">{lead}"] if lead else []), ">wall",
             "run", "~cause"]  # fmt: skip
    grid = Grid(columns(*names), more=max(0, more))
    unit = trials.unit(lead) if lead else ""
    for row in map(int, rows):
        folder, status = trials.link(row, links), str(trials.status[row])
        run: Cell = pages.linked(folder, Path(str(trials.runs[row])).name) if folder else quantity.MISSING
        cells: list[Cell] = [labels[row], str(trials.seeds[row])]
        cells += [] if modes else [str(trials.mode[row])]
        cells.append(marked(LEVELS.get(status, "bad"), status.replace("_", " ")))
        cells += [quantity.in_unit(float(values[row]), unit)] if lead else []
        cells += [quantity.seconds(float(wall[row])), run, str(trials.cause[row])]
        grid.rows.append(cells)
    return grid


def _typed(trials: Trials) -> str:
    path = trials.record.path / TYPED
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _identity(trials: Trials) -> list[tuple[str, str]]:
    document = trials.record.document
    pairs = [("campaign", trials.name)]
    pairs += [(f"{name} digest", str(value)) for name, value in (document.get("digests") or {}).items()]
    pairs += [(str(name), str(value)) for name, value in (document.get("versions") or {}).items()]
    return pairs


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(entry)}" for key, entry in value.items())
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)
