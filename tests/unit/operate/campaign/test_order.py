"""The order of trials: rounds of all variants, at random; the longest first from when it could matter."""

from __future__ import annotations

import random

import pytest

from netarium.describe.design import Job
from netarium.operate.campaign.order import Order


def jobs(variants: int, seeds: int) -> list[Job]:
    return [Job(f"{v}-{s}", v, s, "simulate") for v in range(variants) for s in range(seeds)]


def taken(order: Order, workers: int = 2, count: int = 1) -> list[Job]:
    found: list[Job] = []
    while order.left:
        found += order.take(count, workers)
    return found


def test_every_trial_once() -> None:
    found = taken(Order(jobs(7, 5), 1), count=3)
    assert sorted(job.id for job in found) == sorted(job.id for job in jobs(7, 5))


def test_a_round_has_every_variant_once() -> None:
    """At any time no variant has been run more than once more often than another, but for the last few trials."""
    found = taken(Order(jobs(20, 10), 1))
    for begin in range(0, 180, 20):
        assert sorted(job.variant for job in found[begin : begin + 20]) == list(range(20))


def test_the_order_is_drawn_from_shuffle() -> None:
    assert taken(Order(jobs(20, 3), 1)) == taken(Order(jobs(20, 3), 1))
    assert taken(Order(jobs(20, 3), 1)) != taken(Order(jobs(20, 3), 2))
    rounds = [tuple(j.variant for j in taken(Order(jobs(20, 3), 1))[i : i + 20]) for i in (0, 20)]
    assert rounds[0] != rounds[1]


def makespan(order: Order, seconds: dict[int, float], workers: int) -> float:
    """When the last worker is done, each taking the next trial when it is free."""
    free = [0.0] * workers
    while order.left:
        (job,) = order.take(1, workers)
        first = free.index(min(free))
        free[first] += seconds[job.variant]
        order.measured(job.variant, seconds[job.variant])
    return max(free)


def test_one_long_trial_is_begun_early_enough() -> None:
    """Bound: no schedule can be shorter than the longest trial, nor than the work divided by the workers."""
    seconds = dict.fromkeys(range(100), 0.1) | {100: 8.0}
    one_each = [Job(str(v), v, 1, "simulate") for v in seconds]
    took = makespan(Order(one_each, 1, seconds), seconds, 2)
    ideal = max(8.0, sum(seconds.values()) / 2)
    assert took <= 1.02 * ideal


@pytest.mark.parametrize("seed", range(5))
def test_near_the_best_schedule_with_durations_learnt_on_the_way(seed: int) -> None:
    generator = random.Random(seed)
    seconds = {variant: generator.lognormvariate(-2, 1.5) for variant in range(40)}
    took = makespan(Order(jobs(40, 5), seed), seconds, 2)
    ideal = 5 * sum(seconds.values()) / 2
    assert took <= ideal + 0.34 * max(seconds.values())


def test_equal_trials_stay_in_random_order() -> None:
    found = taken(Order(jobs(30, 4), 1, dict.fromkeys(range(30), 1.0)))
    rounds = [[job.seed for job in found[i : i + 30]] for i in range(0, 90, 30)]
    assert rounds == [[0] * 30, [1] * 30, [2] * 30]
