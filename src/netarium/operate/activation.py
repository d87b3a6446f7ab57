"""Activate slices before their services start: a run of its own with test packets (measure/activation.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netarium.compile.plan import Plan
    from netarium.describe.trial import Trial
    from netarium.measure.activation import Step


def activate(trial: Trial, plan: Plan) -> dict[str, dict[str, Any]]:
    """The outcome for every slice that asks for it; empty when none does. Nothing of it is in the trial's own samples."""
    wanted = {name: part for name, part in trial.slices.items() if part.activation}
    if not wanted:
        return {}
    from netarium.compile.compile import compile_trial
    from netarium.measure.activation import judge, schedule
    from netarium.run.simulate import simulate

    reserved = {name: plan.admission[name] for name in wanted}
    latest = max(each.latency_bound_ps or 2 * each.floor_ps for each in reserved.values())
    packets = {name: each.packet_bytes for name, each in reserved.items()}
    steps = schedule({name: each.bandwidth_bps for name, each in reserved.items()}, packets, latest)
    samples = simulate(compile_trial(_test_trial(trial, plan, steps, latest)))
    return judge(samples, steps, wanted)


def failed(outcome: dict[str, dict[str, Any]]) -> list[str]:
    """One sentence for every slice that did not pass."""
    sentences = []
    for name, entry in outcome.items():
        bad = next((step for step in entry["steps"] if not step["passed"]), None)
        if bad is not None:
            where = f"{bad['test']} test at {bad['share']} % of its rate"
            sentences.append(f"slice {name} was not activated: in the {where}, {'; '.join(bad['reasons'])}")
    return sentences


def _test_trial(trial: Trial, plan: Plan, steps: list[Step], latest_ps: int) -> Trial:
    """The trial with test streams in place of its services, on the paths that were admitted, without events; in virtual time
    and from models, also where hosts are real: what it tests are the ports, which are the same."""
    from netarium.describe.probes import Probes
    from netarium.describe.services import Stream

    slices = {
        name: part.model_copy(
            update={"path": None if part.protection else plan.admission[name].nodes, "start": 0, "end": None,
                    "packet_size": plan.admission[name].packet_bytes}
        )
        for name, part in trial.slices.items()
    }  # fmt: skip
    services = {}
    for step in steps:
        part = slices[step.slice_name]
        services[step.service] = Stream(
            **{
                "from": part.from_, "to": part.to, "slice": step.slice_name, "rate": f"{step.rate_bps} bit/s",
                "packet_size": f"{plan.admission[step.slice_name].packet_bytes} B",
                "start": f"{step.start_ps} ps", "stop": f"{step.stop_ps} ps",
            }
        )  # fmt: skip
    duration = max(step.stop_ps for step in steps) + 2 * latest_ps
    changed = trial.model_copy(
        update={"mode": "simulate", "services": services, "slices": slices, "duration": duration, "events": (), "expect": (),
                "projections": (), "probes": Probes(interval=f"{duration} ps", flows="none")}
    )  # fmt: skip
    changed._folder, changed._source = trial._folder, trial._source
    return changed
