"""Campaigns from Python, with the names of the command line: netarium.load_campaign, netarium.run_campaign."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from netarium.operate.campaign import campaignfile
from netarium.operate.campaign import runner as running
from netarium.operate.campaign.progress import campaign_watcher

if TYPE_CHECKING:
    from netarium.describe.campaign import Campaign
    from netarium.describe.design import Design


def load_campaign(word: str | os.PathLike[str]) -> Design:
    """The design of a campaign by file or bundled name. Raises TrialInvalid with every mistake."""
    return campaignfile.load(str(word))


def run_campaign(
    campaign: Campaign | Design | str | os.PathLike[str],
    *,
    runs: str | Path = "runs",
    workers: int = 0,
    emulated: int = 1,
    ray: str | None = None,
    keep_folders: str | None = None,
    retry: bool = False,
    quiet: bool = True,
) -> running.CampaignOutcome:
    """Run a campaign, or carry on with it; `outcome.record.table` has a row per trial.

    campaign: a Campaign built in Python, what `load_campaign` gave, or a file. The rest is as the options of
    `netarium campaign`. Raises TrialInvalid, RecordError, DiskFull, MachineCannot.
    """
    from netarium.describe.campaign import Campaign
    from netarium.describe.design import Design

    if isinstance(campaign, Campaign):
        design = campaignfile.design(campaign)
    else:
        design = campaign if isinstance(campaign, Design) else load_campaign(campaign)
    options = running.Options(Path(runs), workers, emulated, ray, keep_folders, retry)
    return running.run_campaign(design, options, campaign_watcher(quiet))
