"""What is said of a campaign: variants, effects, sentences, tables; sure only of what is sure."""

from __future__ import annotations

import io
import re
from copy import copy
from pathlib import Path

import made_campaigns
import numpy as np
import pytest
from rich.console import Console

from netarium.errors import RecordError
from netarium.measure.repeats.estimates import Estimate
from netarium.show.campaign import causes, compare, document, effects, report, tables, variants, words
from netarium.show.campaign.trials import Trials, short_names
from netarium.store.campaigns import read_campaign


def text_of(part: object, width: int = 110) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(part)
    return console.file.getvalue()  # type: ignore[attr-defined]


def summary(trials: Trials, width: int = 110) -> str:
    return text_of(tables.summary(trials, variants.summaries(trials)), width)


def test_what_was_swept_is_known_by_short_names(shootout: Trials) -> None:
    found = [(p.name, p.levels, p.numbers) for p in shootout.parameters]
    assert found == [
        ("congestion", ("reno", "cubic", "bbr"), None),
        ("limit", ("30 kB", "250 kB"), (30000.0, 250000.0)),
        ("path", ("short", "long"), None),
    ]
    assert len(shootout.groups) == 12
    assert all(len(group.rows) == 12 for group in shootout.groups)


def test_parameters_that_move_together_are_one(tmp_path: Path) -> None:
    folder = made_campaigns.shootout(tmp_path / "c", seeds=2)
    record = read_campaign(folder)
    doubled = record.table.append_column("param.services.web.transport.congestion",
                                         record.table["param.services.flow.transport.congestion"])  # fmt: skip
    record.__dict__["table"] = doubled
    assert [p.path for p in Trials(record).parameters].count("services.web.transport.congestion") == 0
    assert len(Trials(record).groups) == 12


def test_names_are_as_short_as_they_can_be() -> None:
    paths = ["services.a.transport.congestion", "services.b.transport.congestion", "services.a.rate", "path"]
    assert short_names(paths, paths) == ["a.transport.congestion", "b.transport.congestion", "rate", "path"]
    assert short_names(["x.y"], ["speed"]) == ["speed"]


def test_variants_are_ranked_with_their_intervals(shootout: Trials) -> None:
    found = variants.summaries(shootout)
    assert {entry.group.levels[0] for entry in found[:2]} == {"bbr"}
    means = [entry.means["flow.goodput"].value for entry in found]
    assert means == sorted(means, reverse=True)
    best = found[0].means["flow.goodput"]
    assert best.low < 28e6 < best.high + 1e6  # type: ignore[operator]
    assert best.n == 12


def test_less_is_better_where_the_metric_says_so(tmp_path: Path) -> None:
    folder = made_campaigns.shootout(tmp_path / "c", seeds=3)
    record = read_campaign(folder)
    record.document["leader"] = {"metric": "flow.latency.p95", "best": "lowest"}
    found = variants.summaries(Trials(record))
    delays = [entry.means["flow.latency.p95"].value for entry in found]
    assert delays == sorted(delays)
    assert "Lowest flow.latency.p95" in " ".join(words.summary(Trials(record), found))


def test_the_effect_of_a_parameter_is_the_known_one(shootout: Trials) -> None:
    (congestion, limit, path) = effects.of_campaign(shootout, "flow.goodput")
    by_second = {each.effect.second: each for each in congestion}
    assert {each.effect.first for each in congestion} == {"bbr"}
    for other, gain in (("reno", 8e6), ("cubic", 6e6)):
        overall = by_second[other].effect.overall
        assert overall.mean.value == pytest.approx(gain * 0.75, rel=0.1)  # a long path has half
        assert by_second[other].is_sure
        assert by_second[other].effect.ahead == 4
    assert not limit[0].is_sure
    assert path[0].effect.first == "short"


def test_a_sure_difference_is_called_sure(shootout: Trials) -> None:
    text = " ".join(words.summary(shootout, variants.summaries(shootout)))
    assert "congestion, all else equal: bbr has the highest flow.goodput" in text
    assert "more than cubic (sure: p < 0.001; more in 4 of 4 settings)" in text
    assert "12 common seeds, p after Holm for 2 comparisons" in text
    assert words.headline(shootout) == ("good", "bbr has the highest flow.goodput on average")


def test_noise_is_not_called_a_difference(noisy: Trials) -> None:
    text = " ".join(words.summary(noisy, variants.summaries(noisy)))
    assert "surely ahead of 0 of the other 11" in text
    assert "(sure" not in text
    assert re.search(
        r"about [\d,]+ more seeds? \([\d,]+ in all\) would make a difference of this size sure", text
    )
    assert words.headline(noisy)[0] == "unsure"


def test_one_seed_is_never_certain(once: Trials) -> None:
    found = variants.summaries(once)
    text = summary(once)
    assert "one seed: no interval" in text
    assert "one seed cannot tell; run at least" in text
    assert words.headline(once) == ("unsure", "One seed: no difference is sure")
    assert "(sure" not in text
    assert all(not entry.means["flow.goodput"].has_interval for entry in found)
    assert "±" not in text
    for contrasts in effects.of_campaign(once, "flow.goodput"):
        assert not any(each.is_sure for each in contrasts)


def test_seeds_that_change_nothing_are_not_asked_for_more(tmp_path: Path) -> None:
    trials = Trials(read_campaign(made_campaigns.shootout(tmp_path / "fixed", seeds=3, random_part=False)))
    text = " ".join(words.summary(trials, variants.summaries(trials)))
    assert "The seed changes nothing: this is one case" in text
    assert "every seed gave this very difference, and more seeds would tell no more" in text
    assert not re.search(r"more seeds? \(|it takes \d+ or more|\(sure", text)
    assert words.headline(trials)[0] == "unsure"


def test_failures_are_counted_and_explained(failing: Trials) -> None:
    text = summary(failing, 160)
    assert "141 trials of 144 so far; 5 crashed, whose metrics do not count" in text
    assert "segmentation fault" in text
    assert re.search(r"reno .* \d+/12 ", text)  # of twelve seeds some were not measured
    crashed = failing.status == "crashed"
    assert np.isnan(failing.values("flow.goodput")[crashed]).all()


def test_one_variant_has_nothing_to_be_compared_with(single: Trials) -> None:
    found = variants.summaries(single)
    assert words.summary(single, found)[1] == "flow.goodput is 1.10 [0.85, 1.35] Mbit/s."
    assert "trial" in summary(single)


def test_modes_are_a_parameter_of_their_own(both: Trials) -> None:
    assert both.parameters[-1].name == "mode"
    contrasts = effects.of_parameter(both, both.parameters[-1], "flow.goodput")
    assert contrasts[0].effect.second == "emulate"
    assert contrasts[0].effect.overall.share == pytest.approx(1 / 0.95 - 1, abs=0.02)


@pytest.mark.parametrize("width", [80, 110, 160])
@pytest.mark.parametrize("name", ["shootout", "failing", "once", "single", "both"])
def test_no_line_is_wider_than_the_terminal(name: str, width: int, request: pytest.FixtureRequest) -> None:
    lines = summary(request.getfixturevalue(name), width).splitlines()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("estimate", "unit", "expected"),
    [
        (Estimate(31.234e6, 30.91e6, 31.52e6, 20, ""), "bit/s", "31.23 [30.91, 31.52] Mbit/s"),
        (Estimate(0.0123, 0.0111, 0.0140, 20, ""), "s", "12.3 [11.1, 14.0] ms"),
        (Estimate(-53e3, -132e3, 22e3, 20, ""), "bit/s", "−53 [−132, 22] kbit/s"),
        (Estimate(0.0419, 0.0395, 0.0449, 20, ""), "ratio", "4.19 [3.95, 4.49] %"),
        (Estimate(5.0, None, None, 1, "one seed: no interval"), "", "5.00 (one seed: no interval)"),
        (Estimate(float("nan"), None, None, 0, "not measured"), "s", "–"),
        (Estimate(2584.0, 2344.0, 2825.0, 20, ""), "", "2,584 [2,344, 2,825]"),
    ],
)
def test_estimates_have_as_many_digits_as_they_deserve(estimate: Estimate, unit: str, expected: str) -> None:
    assert words.estimate(estimate, unit) == expected


def test_two_values_are_compared_with_all_else_equal(shootout: Trials) -> None:
    found = compare.compare(shootout, "bbr", "cubic")
    assert [each.metric for each in found] == shootout.metrics
    goodput = found[0].effect
    assert goodput.blocks == 4
    assert goodput.overall.mean.value == pytest.approx(6e6 * 0.75, rel=0.1)
    text = text_of(tables.comparison(shootout, found))
    assert "flow.goodput: bbr has" in text
    assert "averaged over 4 settings of everything else" in text


def test_two_variants_are_compared(shootout: Trials) -> None:
    found = compare.compare(shootout, "bbr, limit=30 kB, short", "reno · 30 kB · short")
    assert found[0].effect.blocks == 1
    assert found[0].effect.overall.mean.value == pytest.approx(8e6, rel=0.2)
    assert "first   bbr · 30 kB · short" in text_of(tables.comparison(shootout, found))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("bbr", "cubik", "did you mean 'cubic'"),
        ("bbr", "bbr", "expected two different variants"),
        ("bbr, short", "cubic", "found path in one of the two only"),
        ("bbr, cubic", "reno", "two values of congestion"),
    ],
)
def test_a_variant_that_is_not_there_is_an_error(
    shootout: Trials, first: str, second: str, message: str
) -> None:
    with pytest.raises(RecordError, match=message):
        compare.compare(shootout, first, second)


def test_an_unknown_metric_is_an_error(shootout: Trials) -> None:
    with pytest.raises(RecordError, match="did you mean 'flow.goodput'"):
        compare.compare(shootout, "bbr", "cubic", ["flow.godput"])


def test_nothing_that_ended_is_an_error(tmp_path: Path) -> None:
    folder = made_campaigns.shootout(tmp_path / "c", seeds=1)
    (folder / "results" / "part-000001.parquet").unlink()
    with pytest.raises(RecordError, match="no trial that ended"):
        Trials(read_campaign(folder))


def test_all_trials_failed_is_said(tmp_path: Path) -> None:
    folder = made_campaigns.one_variant(tmp_path / "c", [1.0, 2.0])
    record = read_campaign(folder)
    column = record.table.schema.get_field_index("status")
    import pyarrow as pa

    record.__dict__["table"] = record.table.set_column(column, "status", pa.array(["timeout", "timeout"]))
    trials = Trials(record)
    assert trials.lead is None
    assert words.headline(trials) == ("bad", "No trial ran to its end")
    assert "2 timeout" in summary(trials)


def test_the_document_says_what_the_sentences_say(shootout: Trials) -> None:
    import json

    found = document.of(shootout, variants.summaries(shootout))
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again["sentences"] == words.summary(shootout, variants.summaries(shootout))
    assert len(again["variants"]) == 12
    bbr = next(e for e in again["effects"] if e["metric"] == "flow.goodput" and e["second"] == "cubic")
    assert (bbr["first"], bbr["sure"], bbr["seeds"], bbr["settings"]["more"]) == ("bbr", True, 12, 4)


def test_too_few_seeds_for_so_many_comparisons_is_said(tmp_path: Path) -> None:
    folder = made_campaigns.shootout(tmp_path / "c", seeds=4)
    trials = Trials(read_campaign(folder))
    text = " ".join(words.summary(trials, variants.summaries(trials)))
    assert "With 4 seeds none of 11 comparisons can be sure; it takes 9 or more." in text


def test_a_parameter_with_many_values_is_told_in_short(shootout: Trials) -> None:
    (congestion, *_) = effects.of_campaign(shootout, "flow.goodput")
    many = [*congestion, *congestion, *congestion]
    text = words.effect(shootout, many)
    assert text.count(" than ") == words.AGAINST
    assert "further from 3 others, surely from all" in text


def test_causes_that_differ_in_their_numbers_count_together() -> None:
    late = "not certifiable: one frame in a thousand reached its host {} late or later, and 1 ms are allowed ({}){}"
    texts = [late.format("23.09 ms", "idle 58 %", "; slice a"), late.format("8.724 µs", "idle 5 %", "")]
    assert causes.gist(texts[0]) == causes.gist(texts[1])
    assert causes.together(texts) == (
        "not certifiable: one frame in a thousand reached its host 8.724 µs … 23.09 ms late or later, and 1 ms are allowed"
    )
    rate = "linktest before the trial, {}: rate {} where 20 Mbit/s is described"
    texts = [rate.format("r2 to s2", "18.58 Mbit/s"), rate.format("r12 to s2", "980 kbit/s")]
    assert causes.gist(texts[0]) == causes.gist(texts[1])
    assert causes.together(texts) == (
        "linktest before the trial, r2 … r12 to s2: rate 980 kbit/s … 18.58 Mbit/s where 20 Mbit/s is described"
    )
    loss = "expected call.loss at most 20 %, found {} %"
    assert causes.together([loss.format(n) for n in ("100", "21.28", "20.93")]) == loss.format("20.93 … 100")


def test_causes_that_differ_in_what_was_measured_do_not() -> None:
    assert causes.gist("expected call.loss at most 20 %") != causes.gist("expected load.loss at most 20 %")
    assert causes.gist("expected a.rtt.p50 at most 1 ms") != causes.gist("expected a.rtt.p99 at most 1 ms")


def test_every_trial_that_did_not_succeed_is_in_one_cause(failing: Trials) -> None:
    """In the terminal, in the report and in the document, however many causes there are."""
    words_of = ["alpha", "beta", "gamma", "delta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"]
    failing = copy(failing)
    failing.status, failing.cause = failing.status.copy(), failing.cause.copy()
    for row in range(100):
        failing.status[row] = "failed"
        failing.cause[row] = f"expected {words_of[row % 11]}.loss at most {row} %"
    count = int((failing.status != "succeeded").sum())
    text = text_of(tables.failures(failing), 100)
    listed = [int(found[1]) for found in re.finditer(r"^[a-z ]+ +(\d+) ", text, re.MULTILINE)]
    assert sum(listed) == count and len(listed) == tables.CAUSES
    assert re.search(r"others +\d+ +\d+ more causes", text)
    assert sum(each.trials for each in causes.of(failing)) == count
    grid = report._causes(failing)
    assert grid is not None and sum(int(str(row[1])) for row in grid.rows) == count
    found = document.of(failing, variants.summaries(failing))["failures"]
    assert sum(each["trials"] for each in found) == count
