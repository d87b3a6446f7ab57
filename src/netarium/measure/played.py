"""What became of the programs of an emulated run: their outcomes, and what they report, as metrics of their services.

The engine sees every packet of a service from outside, and its figures stand. A program's own figures (its kernel's round trips
and retransmissions, completion times, an exit code) are kept beside them as `programs`, and fill in what the engine cannot see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from netarium.errors import RecordError
from netarium.measure import iperf3, requests

NOT_AS_EXPECTED = ("failed", "not started")
READERS = {"iperf3": (iperf3.read, iperf3.summary), "requests": (requests.read, requests.summary)}
FILLED_IN = ("completion_s", "completed_flows", "retransmissions", "rtt_s", "lost_packets", "loss")
"""What the engine may not have seen of a real service, and its programs report."""


def program_documents(outcomes: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Name -> what became of each program: node, arguments, status, exit code, times in s from the start of the trial."""
    return {
        one.program.name: {
            **{key: value for key, value in one.document().items() if key != "program"},
            "argv": list(one.program.argv),
            "run_time_s": run_time_s(one),
        }
        for one in outcomes
    }


def run_time_s(outcome: Any) -> float | None:
    """Seconds from the start of a program to its end; None where one of them did not happen."""
    times = outcome.document()
    started, ended = times["started_s"], times["ended_s"]
    return None if started is None or ended is None else ended - started


def service_overlays(trial: Any, outcomes: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Service -> metrics that its programs give: of a command its outcome, of a played service what iperf3 or HTTP report."""
    names = list(trial.services)
    found: dict[str, dict[str, Any]] = {}
    reports: dict[tuple[str, str], list[Any]] = {}
    unread: dict[str, list[str]] = {}
    for one in outcomes:
        program = one.program
        if program.service < 0:
            continue
        name = names[program.service]
        if program.role == "command":
            found[name] = {"exit_code": one.exit_code, "run_time_s": run_time_s(one), "outcome": one.status}
        elif program.results:
            try:
                reports.setdefault((name, program.results), []).append(_report(one))
            except (RecordError, OSError) as error:
                unread.setdefault(name, []).append(f"{program.name}: {error}")
    for (name, kind), every in reports.items():
        found[name] = {"programs": READERS[kind][1](every)}
    for name, reasons in unread.items():
        found.setdefault(name, {"programs": {}})["programs"]["not_read"] = reasons
    return found


def _report(outcome: Any) -> Any:
    """What a client wrote, read. Raises RecordError, and OSError when there is no output."""
    if outcome.folder is None or outcome.status == "not started":
        raise RecordError(outcome.reason or outcome.status)
    read, _ = READERS[outcome.program.results]
    return read((outcome.folder / "stdout").read_text(encoding="utf-8"))


def laid_over(services: Mapping[str, dict[str, Any]], overlays: Mapping[str, Mapping[str, Any]]) -> None:
    """Add overlays to the services of a metrics document, in place; the engine's own figures stay."""
    for name, overlay in overlays.items():
        entry = services[name]
        entry |= overlay
        for key in FILLED_IN:
            value = overlay.get("programs", {}).get(key)
            unseen = entry.get(key) in (None, {}) or (key == "completed_flows" and not entry[key])
            if value is not None and unseen:
                entry[key] = value
