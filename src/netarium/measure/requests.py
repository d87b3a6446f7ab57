"""What netarium's own HTTP clients report: requests, transfers, completion times."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from netarium.errors import RecordError
from netarium.measure.measure import completion_summary


def read(text: str) -> dict[str, Any]:
    """The report in a text. Raises RecordError when it is none."""
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict) or "rows" not in data:
        raise RecordError(f"found {text[:60]!r}, expected the report of an HTTP client")
    return data


def summary(reports: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The clients of one service together, with the names of the metrics document."""
    every = list(reports)
    if not every:
        return {}
    seconds = np.sort(np.array([row[3] for one in every for row in one["rows"]], np.float64))
    failed: Counter[str] = Counter()
    for one in every:
        failed.update(one["failed"])
    return {
        "program": "http_client",
        "clients": len(every),
        "flows": sum(one["requests"] for one in every),
        "completed_flows": len(seconds),
        "unfinished_flows": sum(one["unfinished"] for one in every),
        "failed_flows": dict(failed),
        "delivered_bytes": sum(one["bytes"] for one in every),
        "completion_s": completion_summary(seconds),
    }
