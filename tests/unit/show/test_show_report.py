"""The HTML report: complete, self-contained, safe against what users type."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import synthetic

from netarium.show import plots, report
from netarium.show.plots import style, svg
from netarium.show.record import read

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Balance(HTMLParser):
    """Fails on a tag that is closed out of turn; collects text and anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.ids: set[str] = set()
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {found["id"] or ""} if "id" in found else set()
        if tag == "a" and (found.get("href") or "").startswith("#"):
            self.targets.add((found["href"] or "")[1:])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(html: str) -> Balance:
    page = Balance()
    page.feed(html)
    assert page.open == []
    return page


@pytest.mark.parametrize("name", ["passed", "udp", "crowd", "unfinished"])
def test_the_page_is_whole_and_asks_for_nothing_outside(report_of: Callable[[str], str], name: str) -> None:
    html = report_of(name)
    page = parsed(html)
    assert page.targets <= page.ids
    loaded = re.findall(r'(?:src|href|xlink:href|action)="([^"]*)"|url\(([^)]*)\)|@import', html)
    assert all((first or second).startswith("#") for first, second in loaded)
    assert "<script" not in html
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_what_the_page_says(runs: Path, report_of: Callable[[str], str]) -> None:
    record = read(runs / "passed")
    text = " ".join(" ".join(parsed(report_of("passed")).words).split())
    expected = """✓ Passed|3 of 3 expectations met|best_effort.goodput from 12 s at most 1 Gbit/s|330 Mbit/s
        |≤ 20 us|6.68 ms|48,102 DROP_TAIL, 1,210 DROP_AQM|netarium run interference-ab --seed 1
        |length: 1150 km|overhead: 38 B per frame|an ordinary processor|flow-completion slowdown"""
    for words in (*map(str.strip, expected.split("|")), record.digests["samples"]):
        assert words in text, words


def test_the_verdict_comes_first_and_failures_lead(runs: Path, tmp_path: Path) -> None:
    record = read(runs / "starved")
    record.folder, record.topology = tmp_path, {}  # without figures
    html = report.html(record)
    assert html.index("✗ Failed") < html.index("Services")
    assert html.index("guaranteed.goodput from 12 s") < html.index("best_effort.goodput from 12 s")


def test_what_a_user_typed_is_text_not_markup(tmp_path: Path) -> None:
    folder = synthetic.flagship(tmp_path / "run")
    evil = '<script>alert("x")</script><img src=http://x>'
    start = read(folder).start
    start["expanded"]["title"] = start["expanded"]["description"] = evil
    start["typed"] = {"file": evil, "text": evil, "overrides": [f"title={evil}"]}
    synthetic.rewrite(folder, "start.json", **(start | {"assumptions": [evil]}))
    record = read(folder)
    record.metrics["services"][evil] = record.metrics["services"].pop("guaranteed")
    record.metrics["expect"][0]["text"] = evil
    record.metrics["assumptions"] = [evil]
    record.topology["nodes"][0]["name"] = evil
    html = report.html(record)
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;") >= 7


def test_a_dollar_in_a_name_is_not_mathematics(tmp_path: Path) -> None:
    record = read(synthetic.without_tcp(tmp_path / "run"))
    record.topology["nodes"][0]["name"] = "$\\frac{$"
    record.topology["nodes"][1]["name"] = "$a_b$"
    with style.context():
        text = svg.text_of(plots.draw(record, ["topology"])[0])
    written = ["".join(element.itertext()).strip() for element in ElementTree.fromstring(text).iter()]
    assert {"$\\frac{$", "$a_b$"} <= set(written)


def test_it_is_written_whole_beside_the_record(tmp_path: Path) -> None:
    folder = synthetic.unfinished(tmp_path / "run")
    path = report.write(read(folder))
    assert path == folder / "report.html"
    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert not list(folder.glob(".report*"))


def test_a_damaged_record_says_so(tmp_path: Path) -> None:
    folder = synthetic.unfinished(tmp_path / "run")
    (folder / "series_ports.parquet").write_bytes(b"PAR1")
    assert "Damaged record: series_ports.parquet cannot be read" in report.html(read(folder))


def test_many_services_do_not_make_an_endless_page(tmp_path: Path) -> None:
    record = read(synthetic.unfinished(tmp_path / "run"))
    metrics = {"kind": "stream", "flows": 1, "goodput_bps": 1e6}
    record.metrics["services"] = {f"svc{index:03d}": metrics for index in range(700)}
    html = report.html(record)
    assert html.count("<tr>") < 520
    assert "and 200 more, see metrics.json" in html


def test_the_command_is_quoted_for_a_shell(tmp_path: Path) -> None:
    record = read(synthetic.without_tcp(tmp_path / "run"))
    record.start["argv"] = ["/somewhere/netarium", "run", "my trial.yml", "--set", "title=a b"]
    assert report.command(record) == "netarium run 'my trial.yml' --set 'title=a b'"
    record.start["argv"] = []
    assert report.command(record) == ""


def test_fairness_stands_where_a_service_has_several_flows(runs: Path, tmp_path: Path) -> None:
    record = read(runs / "crowd")
    record.folder, record.topology = tmp_path, {}  # without figures
    assert ">Jain</th>" not in report.html(record)
    name, metrics = next(iter(record.services.items()))
    metrics.update(flows=5, jain=0.98765)
    text = report.html(record)
    assert ">Jain</th>" in text
    assert "0.988" in text.split(f"<td>{name}</td>", 1)[1]
