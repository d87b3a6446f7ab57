"""The chain from description to record: load, admit, simulate, measure and certify, store, show.

    trial = load(Request("interference-ab", seed=2))
    outcome = run(trial, runs=Path("runs"))

Whatever ends a run (success, a refusal, Ctrl-C, a full disk, a bug), its folder says so; a folder that says
nothing is of a run that was killed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.errors import AdmissionRefused, ExpectationFailed, NetariumError, RunInterrupted
from netarium.operate import activation, trialfile, variants
from netarium.operate.interrupts import StopRequest, stop_on_signals
from netarium.operate.messages import BUG, RunCrashed, exit_code_of, one_line, write_traceback
from netarium.operate.progress import Watcher, compiling_notice
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.compile.plan import Plan
    from netarium.describe.trial import Trial
    from netarium.run.emulate.outcome import Emulated
    from netarium.run.emulate.together import Member
    from netarium.run.samples import Samples
    from netarium.store.store import RunFolder

DONE, FAILED = 0, 1


@dataclass(frozen=True)
class Request:
    """What the command line asks for: a trial by file, name or `-`, and what to change in it."""

    word: str
    mode: str | None = None
    seed: int | None = None
    changes: tuple[str, ...] = ()
    variant: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How a run ended: folder, metrics document, exit code; `error` when it did not reach its end."""

    folder: Path
    document: Mapping[str, Any]
    exit_code: int
    error: NetariumError | None = None

    @property
    def has_results(self) -> bool:
        """Whether anything was simulated, if only until someone stopped it."""
        return not isinstance(self.error, (AdmissionRefused, ExpectationFailed))


def load(request: Request) -> Trial:
    """The trial that a request means, changed as it asks. Raises TrialInvalid with every mistake."""
    from netarium.describe.loader import loads
    from netarium.describe.trial import Source

    typed = trialfile.find(request.word)
    file, changes = variants.split(typed, request.variant)
    changes += request.changes
    changes += [f"{key}={value}" for key in ("mode", "seed") if (value := getattr(request, key)) is not None]
    trial = loads(file.text, file=file.name, folder=file.folder, overrides=changes)
    return trial.placed(file.folder, Source(typed.text, typed.name, tuple(changes)))


def admit(trial: Trial) -> Plan:
    """The plan of a trial. Raises TrialInvalid, AdmissionRefused or MachineCannot."""
    from netarium.compile.compile import compile_trial

    return compile_trial(trial)


def run(
    trial: Trial,
    *,
    runs: Path | None = None,
    argv: Sequence[str] = (),
    watcher: Watcher | None = None,
) -> Outcome:
    """Run a trial and keep the record in a new folder of `runs`.

    Raises TrialInvalid and MachineCannot before anything is written; RunInterrupted, RunCrashed, RecordError
    and MachineCannot after the folder says how the run ended.
    """
    watcher = watcher or Watcher()
    watcher.stage("admitting")
    try:
        plan = admit(trial)
    except AdmissionRefused as refused:
        return _keep_refusal(trial, refused, runs, argv)
    folder = _folder(trial, plan, runs, argv)
    watcher.say(f"{trial.trial}: seed {trial.seed}, run {folder.name}, record {folder.path}")
    with _ended(folder), stop_on_signals(lambda: watcher.say("Stopping; once more to stop at once.")) as stop:
        if trial.slices:
            watcher.stage("activating slices")
        activated = activation.activate(trial, plan)
        if reasons := activation.failed(activated):
            return _keep_activation(trial, activated, reasons, folder)
        emulated = None
        if plan.emulation is not None:
            emulated = emulate(plan, folder.path, watcher, stop)
        samples = execute(plan, watcher, stop) if emulated is None else emulated.samples
        watcher.stage("measuring")
        return _keep_results(trial, plan, samples, activated, folder, stop, watcher, emulated)


def _folder(trial: Trial, plan: Plan | None, runs: Path | None, argv: Sequence[str]) -> RunFolder:
    from netarium.store import store

    if plan is None:
        return store.create(runs, trial, argv=argv)
    return store.create(
        runs,
        trial,
        argv=argv,
        digests={"plan": plan.digest},
        assumptions=plan.assumptions,
        estimate=asdict(plan.estimate),
    )


def execute(plan: Plan, watcher: Watcher, stop: StopRequest) -> Samples:
    """Let the engine run a plan, in the mode of its trial."""
    from netarium.operate import enginecache
    from netarium.run.simulate import simulate

    if enginecache.compiled():
        watcher.stage("starting the engine")
        return simulate(plan, progress=watcher.progress, stop=stop)
    watcher.say(compiling_notice(enginecache.folder()))
    watcher.stage("compiling the engine")
    samples = simulate(plan, progress=watcher.progress, stop=stop)
    enginecache.remember()
    return samples


def emulate(
    plan: Plan, folder: Path, watcher: Watcher, stop: StopRequest, member: Member | None = None
) -> Emulated:
    """Real hosts up, the trial on them, hosts down. Raises MachineCannot, with nothing left behind.

    member: the trial's part among several that are under way at once.
    """
    from netarium.operate import enginecache
    from netarium.operate.control import Control
    from netarium.run.emulate.emulate import emulate_trial, spoken
    from netarium.run.emulate.facility import Facility
    from netarium.run.emulate.machine import RealMachine
    from netarium.run.emulate.realtime import Engine
    from netarium.run.emulate.tap import open_tap

    if not enginecache.compiled():
        watcher.say(compiling_notice(enginecache.folder()))
    plan = spoken(plan, folder)
    trial = plan.trial
    (folder / "programs").mkdir(exist_ok=True)
    watcher.stage("making real hosts")
    facts = {"trial": trial.trial, "command": "run"}
    pacer, overseer, guardian = (
        (None,) * 3 if member is None else (member.pacer, member.overseer, member.guardian)
    )
    with (
        Facility(
            folder.name,
            plan.emulation,
            open_tap,
            folder=folder / "programs",
            reap=member is None,
            guardian=guardian,
            **facts,
        ) as facility,
        Control(facility, stop.request),
    ):
        watcher.stage("starting the engine")
        machine = RealMachine(facility, (trial.folder, folder / "programs"), overseer)
        emulated = emulate_trial(
            plan, machine, lambda *given: Engine(*given, pacer=pacer), folder,
            progress=watcher.progress, stop=stop, say=watcher.say, company=member,
        )  # fmt: skip
        if member is not None:
            member.rise()
    enginecache.remember()
    return emulated


def _keep_results(
    trial: Trial,
    plan: Plan,
    samples: Samples,
    activated: dict[str, dict[str, Any]],
    folder: RunFolder,
    stop: StopRequest,
    watcher: Watcher,
    emulated: Emulated | None = None,
) -> Outcome:
    from netarium.measure.document import failures
    from netarium.store.topology import topology_document

    document = documented(plan, samples, activated, folder.name, watcher, emulated)
    exit_code, reason = (FAILED if document["status"] == "failed" else DONE), "; ".join(failures(document))
    error = None
    if stop():
        exit_code, reason = RunInterrupted.exit_code, _where_stopped(samples, trial)
        document["status"], error = "interrupted", RunInterrupted(f"{reason}. The record is {folder.path}")
    paths = {each.name: each.nodes for each in plan.admission.reservations}
    folder.write_results(samples, document, topology_document(trial.network, paths))
    folder.finish(document["status"], exit_code, reason)
    return Outcome(folder.path, document, exit_code, error)


def documented(
    plan: Plan,
    samples: Samples,
    activated: dict[str, dict[str, Any]],
    run: str,
    watcher: Watcher,
    emulated: Emulated | None = None,
) -> dict[str, Any]:
    """The metrics document of a run that was done; where a bound was violated, `samples` gets the packets around it."""
    from netarium.measure.document import metrics_document
    from netarium.operate import evidence

    document = metrics_document(
        samples,
        plan.trial,
        run=run,
        digests={"plan": plan.digest},
        bounds=bounds(plan),
        assumptions=plan.assumptions,
        emulated=emulated,
    )
    for name, entry in activated.items():
        document["slices"][name]["activation"] = entry
    evidence.keep(plan, samples, document, watcher)
    return document


def _keep_activation(
    trial: Trial, activated: dict[str, dict[str, Any]], reasons: list[str], folder: RunFolder
) -> Outcome:
    """The record of a run whose services did not start, because a slice failed its activation."""
    from netarium.store.topology import topology_document

    document = {
        "format": 1, "trial": trial.trial, "run": folder.name, "mode": str(trial.mode), "status": "failed",
        "seed": trial.seed,
        "slices": {
            name: {"admitted": True, "bound": {}, "observed": {}, "certified": False, "verdict": "not_delivered",
                   "services": [], "objectives": [], "reasons": [text for text in reasons if f"slice {name} " in text],
                   "activation": entry}
            for name, entry in activated.items()
        },
    }  # fmt: skip
    folder.write_results(None, document, topology_document(trial.network))
    folder.finish("failed", FAILED, "; ".join(reasons))
    return Outcome(folder.path, document, FAILED, ExpectationFailed("\n".join(reasons)))


def _where_stopped(samples: Samples, trial: Trial) -> str:
    reached = int(samples.times_ps[-1]) / SECOND_PS if len(samples.times_ps) else 0.0
    return f"Stopped by the user after {reached:.4g} of {trial.duration / SECOND_PS:g} s"


def bounds(plan: Plan) -> dict[str, dict[str, float]]:
    """What admission computed for each slice, in seconds; a bound that does not exist is left out."""
    found_of = {}
    for each in plan.admission.reservations:
        found = {"latency_s": each.latency_bound_ps, "delay_variation_s": each.variation_bound_ps}
        found_of[each.name] = {name: value / SECOND_PS for name, value in found.items() if value is not None}
    return found_of


def _keep_refusal(trial: Trial, refused: AdmissionRefused, runs: Path | None, argv: Sequence[str]) -> Outcome:
    from netarium.store.topology import topology_document

    folder = _folder(trial, None, runs, argv)
    slices: dict[str, dict[str, Any]] = {}
    for refusal in refused.refusals:
        entry = {"admitted": False, "bound": {}, "observed": {}, "certified": None, "reasons": []}
        slices.setdefault(refusal.slice_name, entry)["reasons"].append(str(refusal))
    document = {
        "format": 1,
        "trial": trial.trial,
        "run": folder.name,
        "mode": str(trial.mode),
        "status": "refused",
        "seed": trial.seed,
        "slices": slices,
    }
    folder.write_results(None, document, topology_document(trial.network))
    folder.finish("refused", refused.exit_code, "; ".join(str(refusal) for refusal in refused.refusals))
    return Outcome(folder.path, document, refused.exit_code, refused)


@contextmanager
def _ended(folder: RunFolder) -> Iterator[None]:
    """Let the folder say how the run ended when something other than its results ends it."""
    try:
        yield
    except KeyboardInterrupt:
        folder.finish(
            "interrupted", RunInterrupted.exit_code, "Stopped by the user at once; nothing was measured"
        )
        raise RunInterrupted(f"Stopped at once. The record is {folder.path}") from None
    except (NetariumError, MemoryError, OSError) as error:
        _finish_if_there_is_room(folder, exit_code_of(error), _reason(error))
        raise
    except Exception as error:
        report = write_traceback(error, folder.path)
        _finish_if_there_is_room(folder, BUG, one_line(error))
        raise RunCrashed(error, report) from error


def _reason(error: Exception) -> str:
    """What an expected error says, in one line; others with their class, because Python's often say little."""
    return " ".join(str(error).split()) if isinstance(error, NetariumError) else one_line(error)


def _finish_if_there_is_room(folder: RunFolder, exit_code: int, reason: str) -> None:
    """A disk that is full may have no room for stop.json either; the folder is then an unfinished one."""
    try:
        folder.finish("crashed", exit_code, reason)
    except (NetariumError, OSError):
        return


def draw_report(folder: Path, watcher: Watcher) -> Path | None:
    """Draw report.html; its path, or None when it could not be drawn, which is said and ends nothing.

    The record is complete without its report, which can be drawn again from it at any time.
    """
    from netarium.show import record, report

    watcher.stage("drawing the report")
    try:
        return report.write(record.read(folder))
    except Exception as error:
        details = write_traceback(error)
        bug = f"The report could not be drawn, which is a bug ({one_line(error)})"
        watcher.say(f"{bug}; details in {details}")
        return None
