"""The events of a trial on a time axis: outages shaded, other changes as dotted lines, both named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netarium.show import quantity
from netarium.show.plots import style
from netarium.show.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME_PER_IN = 9  # characters of a name, for each inch of the figure's width
NAMED = 5  # more names than this would run into each other
CHARACTER_IN = 0.075  # width of a character of a name, with some room
OPPOSITE = {"link_down": "link_up", "node_down": "node_up"}


@dataclass(frozen=True)
class Change:
    """Something that happened at `start_s`; until `end_s` if that is not None."""

    start_s: float
    end_s: float | None
    text: str


def changes(record: Record) -> list[Change]:
    """Events of the expanded trial, then services that start late or stop early, by time."""
    found = _events(record.expanded.get("events") or [], _duration(record))
    services = record.expanded.get("services") or {}
    if isinstance(services, dict) and len(services) <= style.LIMIT:
        for name, service in services.items():
            for key, word in (("start", "starts"), ("stop", "stops")):
                at = quantity.to_seconds(service.get(key)) if service.get(key) else None
                if at and at < _duration(record):
                    found.append(Change(at, None, f"{name} {word}"))
    return sorted(found, key=lambda change: change.start_s)


def shade(axes: Axes, record: Record, divisor: float, *, named: bool = True) -> None:
    """Marks the changes on `axes`, whose x is seconds over `divisor`; a run that was stopped has not come to all of them."""
    left, right = axes.get_xlim()
    per_character = CHARACTER_IN / axes.figure.get_figwidth() * (right - left)  # in data units
    free_from = left  # where the last name ended
    found = [change for change in changes(record) if left <= change.start_s / divisor <= right]
    for change in found:
        at = change.start_s / divisor
        if change.end_s is not None:
            axes.axvspan(at, change.end_s / divisor, color=style.SHADE, lw=0, zorder=0)
        axes.axvline(at, color=style.MUTED, lw=0.7, ls=(0, (1, 2)), zorder=0.5)
        if named and len(found) <= NAMED and at >= free_from:
            text = quantity.shorten(change.text, int(axes.figure.get_figwidth() * NAME_PER_IN))
            free_from = at + len(text) * per_character
            _name(axes, text, at, leftwards=free_from > right)


def _name(axes: Axes, text: str, at: float, leftwards: bool) -> None:
    axes.annotate(
        text,
        (at, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right" if leftwards else "left",
        va="bottom",
        fontsize=7,
        color=style.MUTED,
    )


def _duration(record: Record) -> float:
    stated = quantity.to_seconds(record.expanded.get("duration"))
    return stated or float((record.metrics.get("engine") or {}).get("virtual_s") or 0.0)


def _events(events: list[dict[str, Any]], duration_s: float) -> list[Change]:
    found: list[Change] = []
    open_since: dict[tuple[str, str], float] = {}
    for event in sorted(events, key=lambda entry: quantity.to_seconds(entry.get("at")) or 0.0):
        at, kind = quantity.to_seconds(event.get("at")), str(event.get("kind", ""))
        where = event.get("link") or event.get("node") or ""
        where = "-".join(map(str, where)) if isinstance(where, list) else str(where)
        if at is None:
            continue
        if kind in OPPOSITE:
            open_since.setdefault((OPPOSITE[kind], where), at)
        elif (kind, where) in open_since:
            down = kind.replace("_up", " down").replace("_", " ")
            found.append(Change(open_since.pop((kind, where)), at, f"{down}: {where}"))
        else:
            value = f" {event['rate']}" if event.get("rate") else ""
            found.append(Change(at, None, f"{kind.replace('_', ' ')}: {where}{value}"))
    for (kind, where), since in open_since.items():
        found.append(Change(since, duration_s, f"{kind.replace('_up', ' down')}: {where}"))
    return found
