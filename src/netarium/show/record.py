"""A run folder as read from disk: documents as dictionaries, series as arrays, nothing of the engine.

An unfinished or damaged folder is readable: what is missing is None or empty, and `problems` says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.errors import RecordError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FORMAT = 1


@dataclass(frozen=True)
class Grid:
    """One series table turned into matrices: `values[column]` is float64[times, names], NaN where nothing is.

    times: float64[S], seconds. names: the services, ports or flows, in order of first appearance.
    """

    times: np.ndarray
    names: list[str]
    values: dict[str, np.ndarray]

    def __getitem__(self, column: str) -> np.ndarray:
        return self.values[column]

    def index(self, name: str) -> int:
        return self.names.index(name)


@dataclass
class Record:
    """One run: `start`, `metrics`, `stop`, `topology` are the JSON documents; no `stop` if unfinished."""

    folder: Path
    start: dict[str, Any]
    metrics: dict[str, Any]
    stop: dict[str, Any] | None
    topology: dict[str, Any]
    problems: list[str] = field(default_factory=list)

    @property
    def run(self) -> str:
        return str(self.start.get("run") or self.metrics.get("run") or self.folder.name)

    @property
    def trial(self) -> str:
        return str(self.start.get("trial") or self.metrics.get("trial") or "")

    @property
    def title(self) -> str:
        return str(self.expanded.get("title") or self.trial)

    @property
    def seed(self) -> int:
        return int(self.metrics.get("seed", self.start.get("seed", 1)))

    @property
    def mode(self) -> str:
        return str(self.start.get("mode") or self.metrics.get("mode") or "simulate")

    @property
    def status(self) -> str:
        """succeeded, failed, refused, interrupted or crashed; without stop.json running or unfinished."""
        if self.stop is not None:
            return str(self.stop.get("status", "unfinished"))
        from netarium.store.machine import is_alive

        return "running" if is_alive(self.start.get("process") or {}) else "unfinished"

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        return self.metrics.get("services") or {}

    @property
    def links(self) -> dict[str, dict[str, Any]]:
        """Metrics by port name ("a->b")."""
        return self.metrics.get("links") or {}

    @property
    def slices(self) -> dict[str, dict[str, Any]]:
        return self.metrics.get("slices") or {}

    @property
    def expectations(self) -> list[dict[str, Any]]:
        return self.metrics.get("expect") or []

    @property
    def projections(self) -> list[dict[str, Any]]:
        """How long volumes would take; see docs/metrics.md."""
        return self.metrics.get("projections") or []

    @property
    def expanded(self) -> dict[str, Any]:
        """The trial with every default and override written out."""
        return self.start.get("expanded") or {}

    @property
    def typed(self) -> dict[str, Any]:
        """The trial as the user gave it: text, file, overrides."""
        return self.start.get("typed") or {}

    @property
    def assumptions(self) -> list[str]:
        return list(self.metrics.get("assumptions") or self.start.get("assumptions") or [])

    @property
    def digests(self) -> dict[str, str]:
        return {**(self.start.get("digests") or {}), **(self.metrics.get("digests") or {})}

    @property
    def port_rates(self) -> dict[str, float]:
        """Rate in bit/s of each port, from topology.json."""
        return {
            port: float(rate)
            for link in self.topology.get("links", [])
            for port, rate in zip(link.get("ports", []), _rates_of(link), strict=False)
        }

    @cached_property
    def series_services(self) -> Grid | None:
        return self._grid("series_services", "service")

    @cached_property
    def series_ports(self) -> Grid | None:
        return self._grid("series_ports", "port")

    @cached_property
    def series_flows(self) -> Grid | None:
        """Names are flow numbers as text; `flow_services` gives the service of each."""
        return self._grid("series_flows", "flow")

    @cached_property
    def flow_services(self) -> dict[str, str]:
        table = self.table("series_flows", ["flow", "service"])
        if table is None or not {"flow", "service"} <= set(table.column_names):
            return {}
        unique = table.group_by(["flow", "service"]).aggregate([])
        flows, services = unique["flow"].to_pylist(), unique["service"].to_pylist()
        return {str(flow): str(service) for flow, service in zip(flows, services, strict=True)}

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table | None:
        """One Parquet file as an Arrow table; None when it is absent or cannot be read (see `problems`)."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder / f"{name}.parquet"
        if not path.exists():
            return None
        try:
            with pq.ParquetFile(
                path
            ) as file:  # `read_table` would import all of Arrow's data sets for one file
                present = set(file.schema_arrow.names)
                return file.read([c for c in columns if c in present] if columns else None)
        except (pa.ArrowException, OSError) as error:
            self._note(f"{path.name} cannot be read ({str(error).splitlines()[0]})")
            return None

    def _grid(self, name: str, key: str) -> Grid | None:
        import numpy as np

        table = self.table(name)
        if table is None or table.num_rows == 0:
            return None
        if key not in table.column_names or "time_s" not in table.column_names:
            self._note(f"{name}.parquet has no columns time_s and {key}")
            return None
        encoded = table[key].combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        names = [str(entry) for entry in encoded.dictionary.to_pylist()]
        times, rows = np.unique(table["time_s"].to_numpy(), return_inverse=True)
        values = {}
        for column in table.column_names:
            if column in ("time_s", "service", "port", "flow"):
                continue
            values[column] = np.full((len(times), len(names)), np.nan)
            values[column][rows, codes] = table[column].to_numpy()
        return Grid(times, names, values)

    def _note(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)


def _rates_of(link: dict[str, Any]) -> list[float]:
    """Rate of each port of a link in bit/s; a link without one for each has the same both ways."""
    return link.get("port_rates_bps") or [link.get("rate_bps") or 0.0] * len(link.get("ports", []))


def in_folder(root: str | Path) -> list[Record]:
    """Every run folder in `root`, oldest first; one that cannot be read says why in `problems`."""
    records = []
    for start in sorted(Path(root).glob("[!.]*/start.json")):
        try:
            records.append(read(start.parent))
        except RecordError as error:
            records.append(Record(start.parent, {}, {}, None, {}, [str(error)]))
    return sorted(records, key=lambda record: (str(record.start.get("started", "")), record.folder.name))


def read(folder: str | Path) -> Record:
    """The record in `folder`. Raises RecordError if it is not a run folder or of a newer format."""
    folder = Path(folder)
    if not (folder / "start.json").is_file():
        raise RecordError(
            f"{folder}: found no start.json, expected a run folder; 'netarium ls' lists the runs there are"
        )
    problems: list[str] = []
    documents = {name: _document(folder / f"{name}.json", problems) for name in
                 ("start", "metrics", "stop", "topology")}  # fmt: skip
    found = (documents["start"] or {}).get("format", FORMAT)
    if not isinstance(found, int) or found > FORMAT:
        raise RecordError(
            f"{folder}: found run folder format {found}, expected {FORMAT} or older; "
            "a newer netarium wrote it, so read it with that version"
        )
    return Record(
        folder,
        documents["start"] or {},
        documents["metrics"] or {},
        documents["stop"],
        documents["topology"] or {},
        problems,
    )


def _document(path: Path, problems: list[str]) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        problems.append(f"{path.name} cannot be read ({error})")
        return None
    if not isinstance(content, dict):
        problems.append(f"{path.name} is not a JSON object")
        return None
    return content
