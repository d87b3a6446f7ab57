"""Parquet tables: the columns other programs read, units as metadata, and figures against the samples."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest
from made_samples import MS, Made, interference_trial, make

from netarium.describe.loader import loads
from netarium.store.store import create
from netarium.store.tables import TABLES
from netarium.store.topology import topology_document

LATE = np.arange(200) >= 100
TRIAL = interference_trial()
MADE = make(
    TRIAL,
    {
        "guaranteed": Made(48.3e9, late={3: 9 * MS}),
        "best_effort": Made(np.where(LATE, 1e9, 41e9), lost=np.where(LATE, 10, 0)),
        "interferer": Made(np.where(LATE, 49e9, 0), flows=[(10_000 * MS, -1, -1, 0)]),
    },
)
COLUMNS = {
    "series_services": "time_s service delivered_bytes goodput_bps sent_bytes retransmissions active_flows "
    "latency_min_s latency_mean_s latency_max_s loss",
    "series_flows": "time_s flow service goodput_bps cwnd_bytes ssthresh_bytes srtt_s in_flight_bytes "
    "retransmissions pacing_bps",
    "series_ports": "time_s port utilisation throughput_bps queue_bytes queue_packets drops marks",
    "flows": "flow service from to start_s end_s size_bytes delivered_bytes completion_s slowdown "
    "retransmissions timeouts",
    "latency": "service what low_s high_s count",
}
UNITS = {"_s": "s", "_bytes": "B", "_bps": "bit/s"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = create(tmp_path_factory.mktemp("runs"), TRIAL)
    run.write_results(MADE, {"format": 1})
    return run.path


def ask(folder: Path, question: str) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute(f"SET file_search_path = '{folder}'")
        return connection.execute(question).fetchall()


@pytest.mark.parametrize("name", list(COLUMNS))
def test_columns_are_there_with_their_units(name: str) -> None:
    made = TABLES[name](MADE)
    assert set(COLUMNS[name].split()) <= set(made.column_names)
    for field in made.schema:
        unit = field.metadata[b"unit"].decode()
        assert field.metadata[b"meaning"]
        for suffix, expected in UNITS.items():
            if field.name.endswith(suffix):
                assert unit == expected, field.name
    assert made.schema.metadata[b"netarium.format"] == b"1"


def test_other_programs_read_them(folder: Path) -> None:
    mean = ask(folder, "SELECT avg(goodput_bps) FROM 'series_services.parquet' WHERE service = 'guaranteed'")
    assert mean[0][0] == pytest.approx(48.3e9, rel=1e-3)
    late = (
        "SELECT service, max(latency_max_s) FROM 'series_services.parquet' GROUP BY service ORDER BY service"
    )
    assert dict(ask(folder, late))["guaranteed"] == pytest.approx(9e-3)


def test_what_was_not_measured_is_null(folder: Path) -> None:
    idle = "service = 'interferer' AND time_s < 10 AND {} IS NULL"
    for column in ("latency_min_s", "latency_mean_s", "latency_max_s", "loss"):
        count = ask(folder, f"SELECT count(*) FROM 'series_services.parquet' WHERE {idle.format(column)}")
        assert count[0][0] == 99
    assert ask(folder, "SELECT count(*) FROM 'flows.parquet' WHERE end_s IS NULL AND size_bytes IS NULL") == [
        (3,)
    ]


def test_loss_and_drops_are_of_the_interval(folder: Path) -> None:
    packets = round(1e9 * 0.1 / 8 / 1448)
    loss = ask(
        folder, "SELECT loss FROM 'series_services.parquet' WHERE service = 'best_effort' AND time_s = 15"
    )
    assert loss[0][0] == pytest.approx(10 / (packets + 10))
    drops = ask(
        folder, "SELECT sum(drops), max(drops) FROM 'series_ports.parquet' WHERE port = 'telescope->guiyang'"
    )
    assert drops == [(1000, 10)]


def test_the_histogram_holds_every_packet(folder: Path) -> None:
    held = ask(
        folder,
        "SELECT sum(count), min(low_s), max(high_s) FROM 'latency.parquet' "
        "WHERE service = 'guaranteed' AND what = 'one_way'",
    )
    assert held[0][0] == MADE.latency_count[0]
    assert held[0][1] <= 7e-3 < 9e-3 < held[0][2]
    assert ask(folder, "SELECT count(*) FROM 'latency.parquet' WHERE count = 0") == [(0,)]


def test_topology_has_every_node_and_port() -> None:
    found = topology_document(TRIAL.network, {"express": ["telescope", "guiyang", "campus"]})
    assert [node["name"] for node in found["nodes"]] == ["telescope", "guiyang", "campus"]
    first = found["links"][0]
    assert first["name"] == "telescope-guiyang"
    assert first["ports"] == ["telescope->guiyang", "guiyang->telescope"]
    assert (first["rate_bps"], first["delay_s"], first["mtu_bytes"]) == (100e9, 8e-4, 1500)
    places = [(node["x"], node["y"]) for node in found["nodes"]]
    assert len(set(places)) == 3
    assert places[0][1] < places[1][1]  # telescope is south of guiyang
    assert found["nodes"][2]["location"] is None


def test_a_network_without_locations_has_places_and_parallel_links_their_ports() -> None:
    text = """\
trial: pair
duration: 1 s
network:
  nodes: {a: {kind: host}, b: {kind: host}}
  links:
    - {endpoints: [a, b], rate: 1 Gbit/s, delay: 1 ms}
    - {endpoints: [a, b], rate: 2 Gbit/s, delay: 2 ms, backward: {rate: 1 Mbit/s}}
services:
  file: {kind: bulk, from: a, to: b}
"""
    found = topology_document(loads(text).network)
    assert found == topology_document(loads(text).network)
    places = {(node["x"], node["y"]) for node in found["nodes"]}
    assert len(places) == 2
    assert [link["ports"] for link in found["links"]] == [["a->b", "b->a"], ["a->b#2", "b->a#2"]]
    assert found["links"][1]["port_rates_bps"] == [2e9, 1e6]


def test_the_page_of_the_run_folder_names_every_column() -> None:
    page = (Path(__file__).parents[3] / "docs" / "run-folder.md").read_text(encoding="utf-8")
    for name, build in TABLES.items():
        section = page.split(f"**{name}**")[1].split("\n**")[0]
        for column in build(MADE).column_names:
            assert f"`{column}`" in section, f"{name}.{column}"
