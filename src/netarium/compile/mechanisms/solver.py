"""Releases of all slices with planned windows together, by OR-Tools CP-SAT (extra `solver`), where taking turns fails."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from itertools import combinations
from math import gcd

from netarium.compile.mechanisms.scheduled import Planned

EFFORT = 1.0
"""Deterministic time of the solver for one question, about seconds; the same on every machine."""


def available() -> bool:
    """Whether OR-Tools is installed."""
    return find_spec("ortools") is not None


def together(plans: Mapping[str, Planned], pinned: Mapping[str, int]) -> dict[str, int] | None:
    """A release for every slice so that none meets another at any port; None when there is none, or none was found in time.

    For each two slices at a port, with g the greatest common divisor of their periods and x the time from the first's arrival
    to the second's: x = g k + r with k whole and r from the length of the first to g less the length of the second
    (Craciunas et al., RTNS 2016, section 4.3, with one integer in place of one condition for each two repetitions).
    """
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    release = {
        name: model.new_constant(pinned[name])
        if name in pinned
        else model.new_int_var(0, plan.period_ps - 1, name)
        for name, plan in plans.items()
    }
    for (one, first), (two, second) in combinations(plans.items(), 2):
        if one in pinned and two in pinned:
            continue
        common = gcd(first.period_ps, second.period_ps)
        theirs = {window.port: window for window in second.windows}
        for window in first.windows:
            other = theirs.get(window.port)
            if other is None:
                continue
            least = window.closes_ps - window.arrives_ps
            most = common - (other.closes_ps - other.arrives_ps)
            if least > most:
                return None
            apart = release[two] + other.arrives_ps - release[one] - window.arrives_ps
            reach = (
                max(first.period_ps, second.period_ps) + abs(other.arrives_ps - window.arrives_ps)
            ) // common + 2
            turns = model.new_int_var(-reach, reach, "")
            rest = model.new_int_var(least, most, "")
            model.add(apart == common * turns + rest)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = EFFORT
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return {name: int(solver.value(each)) for name, each in release.items()}
