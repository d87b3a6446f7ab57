"""What other campaigns of the same store have computed already: an identical trial is taken, not run again.

Identical means: the same expanded trial (names and expectations too), the same plan with the same seed, the same
engine, the same code that measures. Then the samples are the same bit for bit, and so are the metrics.
"""

from __future__ import annotations

import functools
import hashlib
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.errors import RecordError
from netarium.store import campaigns
from netarium.store.campaignfolder import METRIC
from netarium.store.campaigns import MEASURED

if TYPE_CHECKING:
    import pyarrow as pa

    from netarium.operate.campaign.task import Result

TAKEN = ("trial_digest", "plan_digest", "status", "cause", "wall_s", "verdict.expect", "verdict.certified")


@functools.cache
def measuring_digest() -> str:
    """SHA-256 over the sources that turn what the kernel did into metrics."""
    package = Path(campaigns.__file__).parents[1]
    sha = hashlib.sha256()
    for path in sorted([*(package / "measure").glob("*.py"), *(package / "run").glob("*.py")]):
        sha.update(path.name.encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()


class Known:
    """The results of other campaigns in a store that were computed by this engine and measured by this code."""

    def __init__(self, root: Path, own: Path, kernel_digest: str) -> None:
        self._tables: list[tuple[str, pa.Table]] = []
        self._at: dict[tuple[str, str], tuple[int, int]] = {}
        wanted = {"kernel": kernel_digest, "measuring": measuring_digest()}
        for folder in campaigns.campaign_folders(root):
            if folder == own:
                continue
            try:
                record = campaigns.read_campaign(folder)
            except RecordError:
                continue  # damaged, or of a newer format: nothing to take from it
            digests = record.document.get("digests") or {}
            if all(digests.get(key) == value for key, value in wanted.items()):
                self._add(folder.name, record.table)

    def _add(self, name: str, table: pa.Table) -> None:
        number = len(self._tables)
        self._tables.append((name, table))
        columns = (table[column].to_pylist() for column in ("trial_digest", "plan_digest", "status"))
        for index, (trial, plan, status) in enumerate(zip(*columns, strict=True)):
            if plan and status in MEASURED:
                self._at.setdefault((trial, plan), (number, index))

    def __len__(self) -> int:
        return len(self._at)

    def prefixes(self) -> bytes:
        """First 8 bytes of every plan digest, sorted, as an array of uint64."""
        return array("Q", sorted({int(plan[:16], 16) for _, plan in self._at})).tobytes()

    def take(self, result: Result) -> tuple[dict[str, Any], bytes] | None:
        """(fixed columns, values of the metrics) of an identical trial; None when it has not all that is kept now."""
        found = self._at.get((result.trial_digest, result.plan_digest))
        if found is None:
            return None
        name, table = self._tables[found[0]]
        if any(METRIC + column not in table.column_names for column in result.columns):
            return None
        row = table.slice(found[1], 1)
        fixed = {column: row[column][0].as_py() for column in TAKEN}
        values = [row[METRIC + column][0].as_py() for column in result.columns]
        return (
            {**fixed, "source": row["source"][0].as_py() or name},
            array("d", [float("nan") if value is None else value for value in values]).tobytes(),
        )
