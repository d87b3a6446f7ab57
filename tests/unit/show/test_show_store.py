"""What the store writes is what this stage reads: one hand-made run, from samples to report."""

from __future__ import annotations

import made_samples
import pytest

from netarium.measure.document import metrics_document
from netarium.show import compare, plots, report
from netarium.show.plots import events
from netarium.show.record import Record, read
from netarium.store import store
from netarium.store.topology import topology_document

OUTAGE = """events:
  - {at: 5 s, kind: link_down, link: telescope-guiyang}
  - {at: 6 s, kind: link_up, link: telescope-guiyang}
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Record:
    trial = made_samples.interference_trial(OUTAGE)
    samples = made_samples.make(
        trial,
        {
            "guaranteed": made_samples.Made(goodput=49e9),
            "best_effort": made_samples.Made(goodput=41e9, lost=1),
            "interferer": made_samples.Made(goodput=50e9),
        },
    )
    folder = store.create(tmp_path_factory.mktemp("runs"), trial, name="made", argv=["netarium", "run", "x"])
    document = metrics_document(
        samples, trial, run="made", digests={}, bounds={"express": {"latency_s": 0.0068}}
    )
    paths = {"express": ["telescope", "guiyang", "campus"]}
    folder.write_results(samples, document, topology_document(trial.network, paths))
    folder.finish(document["status"], 0)
    return read(folder.path)


def test_series_services_and_events_are_found(written: Record) -> None:
    grid = written.series_services
    assert grid is not None
    assert grid.names == ["guaranteed", "best_effort", "interferer"]
    assert grid["goodput_bps"][150, 0] == pytest.approx(49e9, rel=0.01)
    assert written.series_ports is not None
    assert set(written.series_ports.names) == set(written.links)
    assert [change.text for change in events.changes(written)] == [
        "link down: telescope-guiyang",
        "interferer starts",
    ]


def test_figures_and_report_are_made_of_it(written: Record) -> None:
    names = {drawing.name for drawing in plots.draw(written)}
    assert {"topology", "throughput", "latency", "delay_cdf", "slices", "drops"} <= names
    html = report.html(written)
    assert written.problems == []
    assert "netarium run x" in html
    assert "above the computed bound of 6.8 ms" in html
    assert "✗ Failed" in html


def test_it_compares_with_itself(written: Record) -> None:
    found = compare.compare([written, read(written.folder)])
    assert (found.parameters, found.metrics) == ([], [])
