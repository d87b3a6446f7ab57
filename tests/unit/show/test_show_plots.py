"""Figures: which are drawn, that axes have units and names fit, and the files they are saved to."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import synthetic

from netarium.errors import RecordError
from netarium.show import plots
from netarium.show.plots import delay, events, overlay, style, svg, topology
from netarium.show.record import Record, read

UNIT = re.compile(r"\([^)]+\)$")
WITHOUT_UNIT = {"share of packets up to it", "share of packets above it", "observed / promised", "slowdown",
                "flow size"}  # fmt: skip


def names(record: Record) -> list[str]:
    return [drawing.name for drawing in plots.draw(record)]


def test_the_flagship_has_every_figure_but_completions(passed: Record) -> None:
    assert names(passed) == [name for name in plots.FIGURES if name not in ("slowdown", "deadlines")]


def test_a_crowd_has_every_figure(crowd: Record) -> None:
    assert names(crowd) == [name for name in plots.FIGURES if name != "deadlines"]


def test_nothing_empty_is_drawn(udp: Record, unfinished: Record) -> None:
    assert names(udp) == ["topology", "throughput", "latency", "jitter", "queue", "delay_cdf", "drops"]
    assert names(unfinished) == []


def test_an_unknown_figure_names_the_nearest(passed: Record) -> None:
    with pytest.raises(RecordError, match="did you mean 'throughput'"):
        plots.draw(passed, ["troughput"])


@pytest.mark.parametrize(
    ("name", "width_in"),
    [("passed", plots.PAGE_IN), ("crowd", plots.COLUMN_IN)],
)
def test_axes_have_units_captions_have_seeds_and_nothing_leaves_the_page(
    runs: Path, name: str, width_in: float
) -> None:
    record = read(runs / name)
    for drawing in plots.draw(record, width_in=width_in):
        assert f"1 run, seed {record.seed}" in drawing.caption
        with style.context():
            style.settle(drawing.figure)
            page = drawing.figure.bbox
            for axes in drawing.figure.axes:
                for label in (axes.get_xlabel(), axes.get_ylabel()):
                    assert not label or UNIT.search(label) or label in WITHOUT_UNIT, (drawing.name, label)
                box = axes.get_tightbbox()
                assert box is None or (box.x0 > -3 and box.x1 < page.width + 3), (drawing.name, box)


@pytest.mark.parametrize("name", ["passed", "udp", "crowd"])
def test_the_data_of_a_figure_are_a_table(runs: Path, name: str) -> None:
    for drawing in plots.draw(read(runs / name)):
        lengths = {len(values) for values in drawing.data.values()}
        assert len(lengths) == 1, drawing.name
        assert lengths.pop() > 0


def test_files_of_a_figure(passed: Record, tmp_path: Path) -> None:
    (drawing,) = plots.draw(passed, ["throughput"])
    png, pdf, data = plots.save(drawing, tmp_path / "figures")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    with data.open() as stream:
        rows = list(csv.DictReader(stream))
    assert set(rows[0]) == {"time_s", "name", "goodput_bps"}
    assert len(rows) == 600
    assert float(rows[0]["time_s"]) == pytest.approx(0.1)


def test_every_figure_goes_to_the_run_folder(tmp_path: Path) -> None:
    record = read(synthetic.without_tcp(tmp_path / "run"))
    paths = plots.save_all(record, formats=("csv",))
    assert {path.parent for path in paths} == {tmp_path / "run" / "figures"}
    assert {path.stem for path in paths} == set(names(record))


def test_figures_leave_no_global_state_and_no_pyplot(runs: Path) -> None:
    code = f"""
import sys
from matplotlib import rcParams
before = rcParams.copy()
from netarium.show import plots, record
plots.draw(record.read({str(runs / "udp")!r}), ["drops", "delay_cdf"])
assert rcParams.copy() == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_inline_figures_share_no_id_and_take_colours_from_the_page(
    report_of: Callable[[str], str],
) -> None:
    texts = re.findall(r"<svg.*?</svg>", report_of("passed"), re.DOTALL)
    assert len(texts) == 9
    ids = [found for text in texts for found in re.findall(r'\bid="([^"]+)"', text)]
    assert ids
    assert len(ids) == len(set(ids))
    for text in texts:
        ElementTree.fromstring(text)
        referred = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
        assert referred <= set(ids)
        assert "var(--fig-ink" in text
        assert style.INK not in text.replace(f", {style.INK.upper()})", "")


def test_the_same_figure_is_the_same_text(passed: Record) -> None:
    with style.context():
        first, second = (svg.text_of(plots.draw(passed, ["queue"])[0]) for _ in range(2))
    assert first == second


def test_a_distribution_ends_at_one_and_gives_the_percentiles(passed: Record) -> None:
    edges, shares = delay.distributions(passed)["best_effort"]
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert (np.diff(edges) > 0).all()
    p99 = edges[np.searchsorted(shares, 0.99)]
    assert p99 == pytest.approx(passed.services["best_effort"]["latency_s"]["p99"], rel=0.02)


def test_an_outage_is_a_span_and_a_late_start_an_instant(udp: Record, passed: Record) -> None:
    assert events.changes(udp) == [events.Change(2.0, 3.0, "link down: a-b")]
    assert events.changes(passed) == [events.Change(10.0, None, "interferer starts")]


@pytest.mark.filterwarnings("error")
def test_what_a_stopped_run_has_not_come_to_is_not_named(passed: Record) -> None:
    """Its name would lie far to the right of the figure, and leave the axes no room."""
    passed.expanded["duration"] = "600 s"
    passed.expanded["services"]["interferer"]["start"] = "500 s"
    passed.expanded["events"] = [{"at": "550 s", "kind": "link_down", "link": ["left", "right"]}]
    assert len(events.changes(passed)) == 2
    drawn = plots.draw(passed, width_in=plots.PAGE_IN)
    assert {"throughput", "latency", "queue"} <= {drawing.name for drawing in drawn}
    for drawing in drawn:
        style.settle(drawing.figure)
        named = [text.get_text() for axes in drawing.figure.axes for text in axes.texts]
        assert not any("starts" in text or "down" in text for text in named)


def test_an_outage_that_never_ends_lasts_until_the_end(udp: Record) -> None:
    udp.expanded["events"] = [{"at": "2 s", "kind": "node_down", "node": "b"}]
    assert events.changes(udp) == [events.Change(2.0, 5.0, "node down: b")]


def test_nodes_at_one_place_are_drawn_apart() -> None:
    nodes = [{"name": str(index), "x": 0.0, "y": 0.0} for index in range(3)]
    nodes += [{"name": "far", "x": 10.0, "y": 0.0}]
    at, moved = topology.positions(nodes)
    gaps = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))[np.triu_indices(4, 1)]
    assert moved
    assert gaps.min() > 0.3


def test_a_service_keeps_its_colour_in_every_figure(passed: Record) -> None:
    with style.context():
        lines = {
            drawing.name: drawing.figure.axes[0].get_lines()
            for drawing in plots.draw(passed, ["throughput", "latency", "cwnd"])
        }
    colours = {name: [line.get_color() for line in found[:2]] for name, found in lines.items()}
    assert set(map(tuple, colours.values())) == {style.SERIES[:2]}


def test_runs_are_laid_over_each_other(passed: Record, starved: Record) -> None:
    drawings = overlay.draw([passed, starved], ["one", "two"])
    assert [drawing.name for drawing in drawings] == ["compare_throughput", "compare_delay_cdf"]
    assert "2 runs: one (seed 1), two (seed 2)" in drawings[0].caption
    assert set(drawings[0].data["run"]) == {"one", "two"}


@pytest.mark.parametrize(
    ("largest", "unit", "expected"),
    [
        (48e9, "bit/s", (1e9, "Gbit/s")),
        (6e-3, "s", (1e-3, "ms")),
        (20.0, "s", (1.0, "s")),
        (9e4, "s", (3600, "h")),
    ],
)
def test_axes_take_the_prefix_that_fits(largest: float, unit: str, expected: tuple) -> None:
    assert style.scale(largest, unit) == expected


def test_windows_stand_beside_the_bandwidth_delay_product(passed: Record) -> None:
    """Rate of the busiest link times the least round trip of the services drawn, in the unit of the axis."""
    (drawing,) = plots.draw(passed, ["cwnd"])
    axes = drawing.figure.axes[0]
    port = max(passed.links, key=lambda name: passed.links[name]["utilisation"])
    trip_s = min(service["rtt_s"]["min"] for service in passed.services.values() if service.get("rtt_s"))
    levels = [line.get_ydata()[0] for line in axes.get_lines() if len(set(line.get_ydata())) == 1]
    divisor = {"kB": 1e3, "MB": 1e6, "GB": 1e9}[UNIT.search(axes.get_ylabel()).group()[1:-1]]  # type: ignore[union-attr]
    product = passed.port_rates[port] * trip_s / 8
    assert levels[0] * divisor == pytest.approx(product)
    assert levels[1] * divisor == pytest.approx(product + passed.links[port]["queue_bytes_max"])
    assert f"rate of {port}" in drawing.caption
