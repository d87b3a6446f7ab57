"""Room on the disk: how much the record of a trial will take, so that a full disk is found before the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.trial import Trial

DEFAULT_INSTANTS = 200  # samples of a run that states no probes.interval
HISTOGRAM_BINS = 2048
CAPTURED_PACKET_BYTES = 64  # block and options of one packet in a pcapng file, beside its bytes


def room_of(trial: Trial) -> int:
    """Most room that the record of a trial will take, bytes."""
    interval = trial.probes.interval or max(1, trial.duration // DEFAULT_INSTANTS)
    flows = sum(_flow_count(trial, name) for name in trial.services)
    wanted = trial.probes.flows
    tracked = {"all": flows, "none": 0}[wanted] if isinstance(wanted, str) else min(wanted, flows)
    captures = sum(each.packets * (each.snap + CAPTURED_PACKET_BYTES) for each in trial.probes.capture)
    return estimate_bytes(
        instants=-(-trial.duration // interval),
        services=len(trial.services),
        ports=len(trial.network.ports()) if trial.probes.ports == "all" else len(trial.probes.ports),
        tracked_flows=tracked,
        flows=flows,
        capture_bytes=captures,
    )


def _flow_count(trial: Trial, name: str) -> int:
    """Flows that a service will start: its pairs, or its arrivals on average (a load is not counted)."""
    service = trial.services[name]
    pairs = len(trial.endpoints(name))
    arrivals = getattr(service, "arrivals", None)
    if arrivals:
        return round(pairs * arrivals * trial.duration / SECOND_PS) + pairs
    return pairs * getattr(service, "streams", 1)


def estimate_bytes(
    *, instants: int, services: int, ports: int, tracked_flows: int, flows: int, capture_bytes: int = 0
) -> int:
    """Rows x columns x 8 B of every table, uncompressed, the documents, and the captures; bytes."""
    rows = instants * (11 * services + 8 * ports + 11 * tracked_flows)
    histogram = services * 2 * HISTOGRAM_BINS * 3
    documents = 4096 * (services + ports + 16)
    return 8 * (rows + 15 * flows + histogram) + documents + capture_bytes
