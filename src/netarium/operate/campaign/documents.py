"""campaign.json: what is known of a campaign before its first trial; and the files kept beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.operate.campaign.known import measuring_digest
from netarium.run.kernel.digest import kernel_digest
from netarium.store import machine
from netarium.store.campaigns import FORMAT
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.design import Design


def campaign_digest(design: Design) -> str:
    """SHA-256 over the trials, what is kept of them, and the code that runs and measures them."""
    return hashlib.sha256(f"{design.digest} {kernel_digest()} {measuring_digest()}".encode()).hexdigest()


def campaign_document(design: Design, name: str, keep: str, argv: Sequence[str]) -> dict[str, Any]:
    """campaign.json of a campaign whose folder is `name`."""
    campaign = design.campaign
    return {
        "format": FORMAT,
        "name": name,
        "campaign": campaign.campaign,
        "title": campaign.title,
        "description": campaign.description,
        "file": design.file,
        "bases": [
            {
                "name": base.word,
                "file": base.file,
                "digest": base.digest,
                "trial": base.data,
                "text": base.text,
            }
            for base in design.bases
        ],
        "parameters": design.parameters(),
        "variants": len(design.variants),
        "seeds": list(campaign.seeds),
        "modes": list(dict.fromkeys(mode for variant in design.variants for mode in variant.modes)),
        "trials": len(design),
        "metrics": [
            {
                "name": window.column,
                "metric": window.metric,
                "from_s": None if window.from_ is None else window.from_ / SECOND_PS,
                "to_s": None if window.to is None else window.to / SECOND_PS,
            }
            for window in campaign.metrics
        ],
        "leader": None if campaign.leader is None else campaign.leader.model_dump(),
        "limits": campaign.limits.model_dump(mode="json"),
        "shuffle": campaign.shuffle,
        "keep_folders": keep,
        "digests": {
            "campaign": campaign_digest(design),
            "design": design.digest,
            "kernel": kernel_digest(),
            "measuring": measuring_digest(),
        },
        "versions": machine.versions(),
        "machine": machine.machine(),
        "process": machine.process(),
        "argv": list(argv),
        "started": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def typed(design: Design) -> str:
    """The campaign as typed; one built in Python as JSON, which is YAML."""
    if design.text:
        return design.text
    return (
        json.dumps(design.campaign.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False)
        + "\n"
    )


def inputs(design: Design) -> dict[str, Path]:
    """The files that the bases name (their own controls, traces, distributions): name in `inputs/` -> where it is."""
    found: dict[str, Path] = {}
    for number, base in enumerate(design.bases):
        prefix = f"{number}-" if len(design.bases) > 1 else ""
        for path in base.files:
            found.setdefault(f"{prefix}{path.name}", path)
    return found
