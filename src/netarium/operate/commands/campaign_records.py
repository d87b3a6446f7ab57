"""What `netarium show` and `netarium compare` do when the name is that of a campaign, and the end of a campaign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from netarium.errors import RecordError
from netarium.operate.messages import say, write_json

if TYPE_CHECKING:
    from netarium.store.campaigns import CampaignRecord


def find(name: str | None, root: Path) -> CampaignRecord | None:
    """The campaign of this name or folder; None when there is none, so that a run may be meant."""
    from netarium.store import campaigns
    from netarium.store.arrow import without_pandas

    if name is None:
        return None
    places = (Path(name), Path(root) / name)
    folder = next((place for place in places if (place / campaigns.CAMPAIGN).is_file()), None)
    if folder is None:
        return None
    without_pandas()
    return campaigns.read_campaign(folder)


def show(
    record: CampaignRecord, *, figures: bool = False, redraw: bool = False, as_json: bool = False
) -> None:
    """The sentences, the table of variants, what failed; the report, drawn anew where trials came since."""
    from netarium.show.campaign import report, tables, variants
    from netarium.show.campaign.trials import Trials

    trials = Trials(record)
    found = variants.summaries(trials)
    if as_json:
        from netarium.show.campaign import document

        write_json(document.of(trials, found))
        return
    from netarium.operate.commands.output import show as display

    if redraw or not _is_current(record):
        report.write(trials, found)
    display(tables.summary(trials, found))
    for problem in record.problems:
        say(f"damaged: {problem}")
    if figures:
        from netarium.show.campaign import plots

        for path in plots.save_all(trials, found):
            typer.echo(path)


def ended(record: CampaignRecord) -> None:
    """The table, the sentences and the report at the end of a campaign, complete or stopped.

    A report that cannot be drawn ends nothing: the results are kept, and it can be drawn again.
    """
    from netarium.operate.messages import one_line, write_traceback

    if not len(record.table):
        return
    try:
        show(record)
    except Exception as error:
        details = write_traceback(error)
        say(f"The report could not be drawn, which is a bug ({one_line(error)}); details in {details}")


def _is_current(record: CampaignRecord) -> bool:
    """Whether the report is newer than everything it shows."""
    from netarium.store import campaigns

    page = record.path / "report.html"
    if not page.is_file():
        return False
    sources = [record.path / campaigns.CAMPAIGN, *campaigns.parts(record.path)]
    return page.stat().st_mtime >= max(path.stat().st_mtime for path in sources if path.exists())


def compare(record: CampaignRecord, words: list[str], *, as_json: bool = False) -> None:
    """Two variants, or two values with everything else equal, in every metric."""
    from netarium.show.campaign import compare as comparing
    from netarium.show.campaign import document, tables
    from netarium.show.campaign.trials import Trials

    if len(words) != 2:
        raise RecordError(
            f"found {len(words)} variants of campaign {record.name}, expected two, such as: "
            f"netarium compare {record.name} bbr cubic"
        )
    trials = Trials(record)
    found = comparing.compare(trials, *words)
    if as_json:
        listed: list[dict[str, Any]] = [document.contrast(each) for each in found]
        write_json({"format": 1, "campaign": trials.name, "first": found[0].effect.first,
                    "second": found[0].effect.second, "metrics": listed})  # fmt: skip
        return
    from netarium.operate.commands.output import show as display

    display(tables.comparison(trials, found))
