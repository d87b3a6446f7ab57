"""What programs report becomes metrics: iperf3's JSON both ways, HTTP reports, outcomes, doubt about an emulated run."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from netarium.compile.hosts import Program
from netarium.describe.loader import loads
from netarium.errors import RecordError
from netarium.measure import iperf3, requests
from netarium.measure.document import failures, metrics_document
from netarium.measure.emulation import late_reasons
from netarium.measure.played import laid_over, service_overlays
from netarium.run.emulate.linktest.judge import Finding
from netarium.run.emulate.outcome import Emulated
from netarium.run.emulate.outcomes import DONE, FAILED, STOPPED, Outcome
from netarium.show import iperf3 as exported
from netarium.show.record import Grid
from netarium.units import SECOND_PS

REPORTS = Path(__file__).resolve().parents[2] / "golden/iperf3"


def report(name: str) -> str:
    return (REPORTS / f"{name}.json").read_text(encoding="utf-8")


def test_a_tcp_report_of_iperf3() -> None:
    raw, found = json.loads(report("tcp")), iperf3.read(report("tcp"))
    assert (found.protocol, found.streams) == ("tcp", 2)
    assert found.sent_bytes == raw["end"]["sum_sent"]["bytes"]
    assert found.received_bytes == raw["end"]["sum_received"]["bytes"]
    assert found.retransmissions == sum(one["sender"]["retransmits"] for one in raw["end"]["streams"])
    assert found.rtt_s is not None and found.rtt_s[0] <= found.rtt_s[1] <= found.rtt_s[2] < 0.01
    assert found.lost_packets is None and not found.interrupted


def test_a_udp_report_has_loss_and_no_round_trip() -> None:
    found = iperf3.read(report("udp"))
    assert (found.protocol, found.packets, found.lost_packets, found.rtt_s) == ("udp", 2499, 0, None)
    assert found.jitter_s == pytest.approx(8.27e-6, rel=0.01)
    lossy = iperf3.summary([replace(found, lost_packets=10), found])
    assert lossy["loss"] == pytest.approx(10 / 4998) and lossy["clients"] == 2


def test_an_interrupted_client_does_not_know_what_arrived() -> None:
    found = iperf3.read(report("interrupted"))
    assert found.interrupted and found.received_bytes is None and found.sent_bytes > 0
    assert "delivered_bytes" not in iperf3.summary([found])


@pytest.mark.parametrize(
    ("text", "why"),
    [(report("refused"), "Connection refused"), ("{}", "without results"), ("x", "expected the JSON")],
)
def test_what_is_no_result_says_why(text: str, why: str) -> None:
    with pytest.raises(RecordError, match=why):
        iperf3.read(text)


def test_several_clients_add_up() -> None:
    one = iperf3.read(report("tcp"))
    both = iperf3.summary([one, one])
    alone = iperf3.summary([one])
    assert both["goodput_bps"] == pytest.approx(2 * alone["goodput_bps"])
    assert both["rtt_s"] == alone["rtt_s"] and both["flows"] == 4


def record_of(delivered: list[int], kind: str = "bulk") -> Any:
    """A record of one service, a sample a second."""
    values = np.array(delivered, float)[:, None]
    columns = {"delivered_bytes": values, "retransmissions": values * 0}
    grid = Grid(np.arange(1.0, len(delivered) + 1), ["s"], columns)
    metrics = {
        "active_s": [0.0, float(len(delivered))], "flows": 3, "sent_bytes": delivered[-1], "delivered_bytes": delivered[-1],
        "retransmissions": 7, "sent_packets": 100, "lost_packets": 5, "loss": 0.05,
        "rtt_s": {"min": 0.01, "mean": 0.02, "max": 0.04},
    }  # fmt: skip
    return SimpleNamespace(
        services={"s": metrics},
        series_services=grid,
        expanded={"services": {"s": {"kind": kind}}},
        start={},
        run="r",
        trial="t",
    )


def test_a_service_goes_out_as_iperf3_and_comes_back_the_same() -> None:
    found = iperf3.read(json.dumps(exported.document(record_of([1000, 3000, 6000]), "s")))
    assert (found.sent_bytes, found.received_bytes, found.retransmissions) == (6000, 6000, 7)
    assert found.rtt_s == pytest.approx((0.01, 0.02, 0.04)) and found.seconds == 3.0 and found.streams == 3
    intervals = exported.document(record_of([1000, 3000, 6000]), "s")["intervals"]
    assert [one["sum"]["bytes"] for one in intervals] == [1000, 2000, 3000]
    assert intervals[1]["sum"]["bits_per_second"] == 16000
    udp = iperf3.read(json.dumps(exported.document(record_of([1000, 3000], "stream"), "s")))
    assert (udp.protocol, udp.packets, udp.lost_packets) == ("udp", 100, 5)
    with pytest.raises(RecordError, match="did you mean 's'"):
        exported.document(record_of([1000]), "S")


# -- outcomes


TRIAL = loads("""
trial: t
duration: 4 s
mode: emulate
network:
  nodes: {a: {kind: host}, b: {kind: host}}
  links: [{endpoints: [a, b], rate: 1 Gbit/s, delay: 1 ms}]
services:
  ping: {kind: command, node: a, argv: [ping, b], to: b}
  bulk: {kind: bulk, from: a, to: b}
  web: {kind: request_response, from: a, to: b, sizes: 20 kB, arrivals: 5 /s}
slices:
  gold: {from: a, to: b, bandwidth: 1 Mbit/s}
expect:
  - {metric: ping.exit_code, equals: 0}
  - {metric: web.completion.p50, at_most: 1 s}
""")


def outcome(
    tmp_path: Path, service: int, name: str, role: str, results: str = "", text: str = "", **keys: Any
) -> Outcome:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "stdout").write_text(text)
    program = Program(name, service, "a", ("x",), role=role, results=results)
    return Outcome(program, folder=folder, **keys)


def outcomes(tmp_path: Path) -> list[Outcome]:
    rows = [[0, 20000, 1.0, 0.25], [0, 20000, 2.0, 0.75]]
    web = {"requests": 3, "completed": 2, "unfinished": 1, "failed": {}, "bytes": 40000, "rows": rows}
    times = {"started_ps": SECOND_PS, "ended_ps": 3 * SECOND_PS}
    return [
        outcome(tmp_path, 0, "ping", "command", status=DONE, exit_code=0, **times),
        outcome(tmp_path, 1, "bulk.server0", "server", status=DONE, exit_code=0),
        outcome(tmp_path, 1, "bulk.client0", "client", "iperf3", report("tcp"), status=STOPPED, exit_code=1),
        outcome(tmp_path, 2, "web.client.b", "client", "requests", json.dumps(web), status=DONE, exit_code=0),
    ]


def test_overlays_say_what_became_of_programs_and_what_they_report(tmp_path: Path) -> None:
    found = service_overlays(TRIAL, outcomes(tmp_path))
    assert found["ping"] == {"exit_code": 0, "run_time_s": 2.0, "outcome": "done"}
    assert found["bulk"]["programs"]["program"] == "iperf3"
    assert found["web"]["programs"]["completion_s"]["p50"] == 0.25
    assert found["web"]["programs"]["unfinished_flows"] == 1


def test_a_report_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    broken = outcome(
        tmp_path, 1, "bulk.client0", "client", "iperf3", report("refused"), status=FAILED, exit_code=1
    )
    (said,) = service_overlays(TRIAL, [broken])["bulk"]["programs"]["not_read"]
    assert "bulk.client0" in said and "Connection refused" in said


def test_programs_fill_in_what_the_engine_cannot_see_and_nothing_else() -> None:
    services = {
        "s": {"goodput_bps": 5.0, "completion_s": {}, "rtt_s": {}, "retransmissions": 3, "loss": None}
    }
    reported = {
        "goodput_bps": 9.0,
        "completion_s": {"p50": 1.0},
        "rtt_s": {"mean": 2.0},
        "retransmissions": 8,
        "loss": 0.1,
    }
    laid_over(services, {"s": {"programs": reported}})
    entry = services["s"]
    assert (entry["goodput_bps"], entry["retransmissions"]) == (5.0, 3)
    assert (entry["completion_s"], entry["rtt_s"], entry["loss"]) == ({"p50": 1.0}, {"mean": 2.0}, 0.1)
    assert entry["programs"] == reported


def real_time(p999_s: float, unread_s: float = 0.0, **more: float) -> dict[str, Any]:
    frames = {"p50": 1e-5, "p99": 1e-4, "p999": p999_s, "max": p999_s}
    unread = dict.fromkeys(frames, unread_s)
    return {"real_time": {"frames": frames, "unread": unread, "time_s": {"read": 1.0, "idle": 3.0}, **more}}


@pytest.mark.parametrize(
    ("engine", "says"),
    [(real_time(0.0005), []), (real_time(0.003), ["3 ms late", "1 ms are allowed", "read 25 %, idle 75 %"]),
     (real_time(0.001, 0.001), []), (real_time(0.0005, 0.0011), ["waited up to 1.1 ms or longer to be read", "idle 75 %"]),
     (real_time(0.0005, refused_frames=4), ["4 frames were dropped in hosts"]),
     (real_time(0.0005, overrun_frames=2), ["2 frames were dropped by hosts' kernels"]),
     (real_time(0.003, stolen_s=0.25), ["; the hypervisor took 0.25 s of CPU time"]), ({}, ["not measured"])],
)  # fmt: skip
def test_lateness_beyond_the_tolerance_is_doubt_with_its_reason(
    engine: dict[str, Any], says: list[str]
) -> None:
    found = late_reasons(engine, 0.001)
    assert bool(found) == bool(says) and all(text in "; ".join(found) for text in says)


def samples() -> Any:
    """Real samples of the same network, to measure an emulated run with: what the engine saw, and how late it was."""
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from running import simulate

    return simulate("""
trial: t
duration: 4 s
network:
  nodes: {a: {kind: host}, b: {kind: host}}
  links: [{endpoints: [a, b], rate: 1 Gbit/s, delay: 1 ms}]
services:
  ping: {kind: stream, from: a, to: b, rate: 100 kbit/s}
  bulk: {kind: stream, from: a, to: b, rate: 100 kbit/s}
  web: {kind: stream, from: a, to: b, rate: 100 kbit/s}
slices:
  gold: {from: a, to: b, bandwidth: 1 Mbit/s}
""")


@pytest.fixture(scope="module")
def seen() -> Any:
    return samples()


def documented(seen: Any, emulated: Any, p999_s: float = 0.0005) -> dict[str, Any]:
    seen.engine = {**seen.engine, **real_time(p999_s)}
    return metrics_document(seen, TRIAL, run="r", emulated=emulated)


def test_an_emulated_run_that_went_well_succeeds(seen: Any, tmp_path: Path) -> None:
    passed = Finding("before", "a", "b", "delay_s", 0.001, 0.001, True)
    document = documented(seen, Emulated(seen, tuple(outcomes(tmp_path)), (passed,)))
    assert document["emulation"]["certifiable"] and document["emulation"]["linktest"]["passed"] is True
    assert [entry["met"] for entry in document["expect"]] == [True, True]
    assert document["emulation"]["programs"]["ping"]["run_time_s"] == 2.0
    json.dumps(document)


def test_a_late_engine_or_another_network_certifies_nothing(seen: Any, tmp_path: Path) -> None:
    wrong = Finding("before", "a", "b", "delay_s", 0.001, 0.009, False)
    for number, (emulated, p999_s) in enumerate(
        [(Emulated(seen, (), (wrong,)), 0.0005), (Emulated(seen, ()), 0.004)]
    ):
        document = documented(seen, emulated, p999_s)
        assert document["status"] == "failed" and not document["emulation"]["certifiable"], number
        assert document["slices"]["gold"]["certified"] is None
        assert any("not certifiable" in reason for reason in failures(document))


def test_a_program_that_failed_fails_the_run(seen: Any, tmp_path: Path) -> None:
    bad = outcome(tmp_path, 0, "ping", "command", status=FAILED, exit_code=2, reason="ended with exit code 2")
    document = documented(seen, Emulated(seen, (bad,)))
    assert document["status"] == "failed"
    assert "program ping on a: ended with exit code 2" in failures(document)
    assert not document["expect"][0]["met"] and not math.isnan(document["expect"][0]["value"])


def test_an_http_report_must_be_one() -> None:
    with pytest.raises(RecordError, match="report of an HTTP client"):
        requests.read("[]")
