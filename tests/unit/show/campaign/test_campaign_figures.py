"""Figures and report of a campaign: which are drawn, that labels fit, that points lead to runs, one safe file."""

from __future__ import annotations

import csv
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from netarium.errors import RecordError
from netarium.show import plots as run_plots
from netarium.show.campaign import plots, report, variants
from netarium.show.campaign.plots import frontier, parallel, slowdown
from netarium.show.campaign.plots.scene import Scene, seed_range
from netarium.show.campaign.trials import Trials
from netarium.show.plots import COLUMN_IN, PAGE_IN, style

UNIT = re.compile(r"\([^)]+\)")
SWEPT = {"congestion", "limit", "path", "mode", "flow size", "slowdown"}  # their values carry the units


def drawn(trials: Trials, *names: str, width_in: float = COLUMN_IN) -> dict[str, style.Drawing]:
    """These figures, by default all."""
    found = plots.draw(trials, variants.summaries(trials), names or None, width_in=width_in)
    return {each.name: each for each in found}


def test_every_figure_that_has_something_to_show(shootout: Trials, both: Trials, single: Trials) -> None:
    assert list(drawn(shootout)) == [name for name in plots.FIGURES if name != "modes"]
    assert "modes" in drawn(both)
    assert list(drawn(single)) == ["boxes"]


def test_an_unknown_figure_names_the_nearest(shootout: Trials) -> None:
    with pytest.raises(RecordError, match="did you mean 'frontier'"):
        plots.draw(shootout, variants.summaries(shootout), ["fronteer"])


@pytest.mark.parametrize(
    ("name", "width_in"),
    [
        ("shootout", COLUMN_IN),
        ("both", PAGE_IN),
        *(
            pytest.param(*more, marks=pytest.mark.slow)
            for more in itertools.product(["shootout", "both", "failing", "once"], [COLUMN_IN, PAGE_IN])
            if more not in (("shootout", COLUMN_IN), ("both", PAGE_IN))
        ),
    ],
)
def test_axes_have_units_captions_have_runs_and_seeds(
    name: str, width_in: float, request: pytest.FixtureRequest
) -> None:
    trials = request.getfixturevalue(name)
    for drawing in drawn(trials, width_in=width_in).values():
        assert re.search(
            r"Campaign \S+: [\d,]+ runs?, (\d+ seeds \(|seed 1, no interval)", drawing.caption
        ), drawing.caption
        with style.context():
            style.settle(drawing.figure)
            page = drawing.figure.bbox
            for axes in drawing.figure.axes:
                for label in (axes.get_xlabel(), axes.get_ylabel()):
                    assert not label or UNIT.search(label) or label in SWEPT, (drawing.name, label)
                box = axes.get_tightbbox()
                assert box is None or (box.x0 > -3 and box.x1 < page.width + 3), (drawing.name, box)


@pytest.mark.slow
def test_the_data_of_a_figure_are_a_table(shootout: Trials, tmp_path: Path) -> None:
    paths = plots.save_all(shootout, variants.summaries(shootout), tmp_path)
    assert {path.suffix for path in paths} == {".png", ".pdf", ".csv"}
    for path in tmp_path.glob("*.csv"):
        with path.open(newline="") as file:
            first, *rows = csv.reader(file)
        assert rows, path.name
        assert {len(row) for row in rows} == {len(first)}, path.name


def test_a_cell_of_the_heat_map_is_the_mean_of_its_runs(shootout: Trials) -> None:
    data = drawn(shootout, "heat")["heat"].data
    for row in range(len(data["runs"])):
        inside = np.ones(shootout.count, dtype=bool)
        for parameter in shootout.parameters:
            if parameter.name in data:
                inside &= shootout.levels(parameter) == data[parameter.name][row]
        values = shootout.values("flow.goodput")[inside]
        assert data["flow.goodput_mean_si"][row] == pytest.approx(values.mean())
        assert data["runs"][row] == len(values)


def test_a_cell_without_runs_says_so(failing: Trials) -> None:
    data = drawn(failing, "heat")["heat"].data
    assert sum(data["runs"]) == int(failing.measured.sum())


def test_the_ellipse_holds_as_much_as_one_standard_deviation_does() -> None:
    """Of a normal distribution in the plane: 1 - exp(-1/2) = 39 %; axes are those of the covariance."""
    points = np.random.default_rng(1).multivariate_normal([0, 0], [[4, 1.5], [1.5, 1]], 20_000)
    half, vectors = frontier.spread(points[:, 0], points[:, 1])
    inside = (((points - points.mean(axis=0)) @ vectors / half) ** 2).sum(axis=1) <= 1
    assert inside.mean() == pytest.approx(stats.chi2.cdf(1, 2), abs=0.015)


def test_throughput_against_delay_has_better_to_the_upper_right(shootout: Trials) -> None:
    axes = drawn(shootout, "frontier")["frontier"].figure.axes[0]
    left, right = axes.get_xlim()
    assert left > right
    assert axes.get_xlabel().startswith("flow.latency.p95 (ms)")


def test_bins_of_the_slowdown_hold_equally_many_flows() -> None:
    random = np.random.default_rng(3)
    middle, counts, values = slowdown.binned(random.lognormal(9, 2, 2130), 1 + random.exponential(1, 2130))
    assert max(counts) - min(counts) <= 1
    assert (np.diff(middle) > 0).all()
    assert (values["p50"] <= values["p95"]).all()
    assert (values["p95"] <= values["p99"]).all()


def test_the_slowdown_is_of_the_runs_that_were_kept(shootout: Trials) -> None:
    drawing = drawn(shootout, "slowdown")["slowdown"]
    assert "of 3 runs whose folders were kept" in drawing.caption
    assert set(drawing.data["of"]) == {"reno", "cubic", "bbr"}
    assert min(drawing.data["slowdown_p50"]) >= 1


def test_simulated_and_emulated_are_the_same_variants(both: Trials) -> None:
    data = drawn(both, "modes")["modes"].data
    simulated = [v for v, mode in zip(data["mean_si"], data["mode"], strict=True) if mode == "simulate"]
    emulated = [v for v, mode in zip(data["mean_si"], data["mode"], strict=True) if mode == "emulate"]
    assert np.array(emulated) / np.array(simulated) == pytest.approx(0.95, abs=0.06)


def test_points_lead_to_the_runs_that_were_kept(shootout: Trials) -> None:
    scene = Scene(shootout, variants.summaries(shootout), PAGE_IN, links="../x/")
    kept = [row for row in range(shootout.count) if shootout.runs[row]]
    assert {scene.link(row) for row in kept} == {
        f"../x/runs/run-{name}/" for name in ("reno", "cubic", "bbr")
    }
    assert scene.link(next(row for row in range(shootout.count) if row not in kept)) is None


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        ([3], "seed 3, no interval"),
        (list(range(1, 21)), "20 seeds (1 to 20)"),
        ([1, 5, 9], "3 seeds (1, 5, 9)"),
    ],
)
def test_seeds_are_named(seeds: list[int], expected: str) -> None:
    assert seed_range(seeds) == expected


class Page(HTMLParser):
    """A page's text, links, ids and tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "xlink:href", "src") and value]
        self.ids += [value for name, value in attrs if name == "id" and value]


@pytest.fixture(scope="module")
def page(shootout: Trials) -> Page:
    return Page(report.html(shootout, variants.summaries(shootout)))


def test_the_report_is_one_file_without_scripts(page: Page) -> None:
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert not [link for link in page.links if "//" in link]


def test_every_anchor_is_there_once(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_report_leads_to_run_folders_that_exist(page: Page, shootout: Trials) -> None:
    links = {link for link in page.links if link.startswith("runs/")}
    assert links == {f"runs/run-{name}/" for name in ("reno", "cubic", "bbr")}
    assert all((shootout.record.path / link).is_dir() for link in links)


def test_a_report_elsewhere_leads_to_the_same_folders(shootout: Trials, tmp_path: Path) -> None:
    path = report.write(shootout, path=tmp_path / "page.html")
    links = [link for link in Page(path.read_text(encoding="utf-8")).links if "runs/run-" in link]
    assert links
    assert all((tmp_path / link).is_dir() for link in links)


def test_the_report_says_what_failed_and_what_is_missing(
    failing: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "draw", lambda *_, **__: [])
    text = report.html(failing, variants.summaries(failing))
    assert "segmentation fault" in text
    assert "This campaign is not complete: 3 of 144 of its trials have not ended" in text


def test_what_users_typed_is_text(page: Page) -> None:
    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


@pytest.mark.parametrize(
    "name", ["once", "single", *(pytest.param(name, marks=pytest.mark.slow) for name in ("noisy", "both"))]
)
def test_every_campaign_has_a_report(name: str, request: pytest.FixtureRequest) -> None:
    trials = request.getfixturevalue(name)
    text = report.html(trials, variants.summaries(trials))
    assert "How to repeat this campaign" in text
    if name == "once":
        assert "one seed: no interval" in text
    assert run_plots.FIGURES  # the pages of runs stay as they are


def test_variants_are_named_beside_their_marks_only_where_they_are_few(
    shootout: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without a parameter that gives colours: a thousand names hide every mark."""
    monkeypatch.setattr(style, "LIMIT", 1)
    for most, is_named in ((12, True), (11, False)):
        monkeypatch.setattr(frontier, "LABELLED", most)
        drawing = drawn(shootout, "frontier")["frontier"]
        assert bool(drawing.figure.axes[0].texts) is is_named
        assert ("Too many variants" in drawing.caption) is not is_named
        assert len(drawing.data["variant"]) == 12


def test_lines_that_are_left_out_are_told(shootout: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "The best" not in drawn(shootout, "parallel")["parallel"].caption
    monkeypatch.setattr(parallel, "LINES", 5)
    assert "The best 5 of 12 variants." in drawn(shootout, "parallel")["parallel"].caption
