"""Where one trial of a campaign after another is done, in a warm process: prepared, run, measured, judged.

What does not change between seeds (the parsed base, the model with its changes, routes, tables) is made once a
variant and kept; another seed is other keys of the random streams. The result is a few hundred bytes: a run
folder is written only when the campaign keeps it.
"""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import queue
import shutil
import threading
import time
import traceback
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.compile.keys import only_keys_differ, reseeded
from netarium.describe.dump import full
from netarium.errors import AdmissionRefused, MachineCannot, TrialInvalid
from netarium.measure.document import failures
from netarium.measure.kept import kept
from netarium.measure.kept import values as kept_values
from netarium.operate import activation
from netarium.operate.campaign.keeping import KEEP_ALL, KEEP_FAILED
from netarium.operate.campaign.task import Result, Task
from netarium.operate.interrupts import StopRequest
from netarium.operate.progress import Watcher
from netarium.operate.runner import admit, documented
from netarium.run.hooks import addresses
from netarium.run.simulate import simulate
from netarium.store.files import DiskFull

if TYPE_CHECKING:
    from netarium.describe.design import Job
    from netarium.describe.trial import Trial
    from netarium.measure.kept import Kept
    from netarium.run.emulate.together import Member
    from netarium.run.samples import Samples
    from netarium.store.store import RunFolder

QUIET = Watcher()

PREPARED_BYTES = 64 * 2**20
"""Of plans kept for other seeds, before the ones longest unused are given up."""
CAUSE_CHARACTERS = 2000
UNTOLD = ("title", "description", "trial", "seed")
"""Keys of a trial that change nothing of its results, or are counted apart."""


@dataclass
class Prepared:
    """A variant made ready in one mode: its plan for the first seed, and what later seeds need."""

    plan: Any
    reseeds: bool
    identity: bytes
    columns: tuple[Kept, ...]
    names: tuple[str, ...]
    nbytes: int


@dataclass
class Workshop:
    """Does the trials of one campaign. `compiling` is told when a user's own file is being compiled."""

    task: Task
    compiling: Callable[[bool], None] = lambda _: None
    _prepared: OrderedDict[tuple[int, str], Prepared] = field(default_factory=OrderedDict)
    _held: int = 0
    _real_time: bool = False
    _known: array[int] = field(default_factory=lambda: array("Q"))

    def __post_init__(self) -> None:
        self._known = array("Q")
        self._known.frombytes(self.task.known)
        gc.freeze()

    @cached_property
    def _hosts_refused(self) -> str:
        """Why this worker may have no real hosts; empty when it may."""
        from netarium.operate import privilege

        return privilege.refusal()

    def do_together(self, jobs: list[Job]) -> Iterator[Result]:
        """Do emulated trials at once, each in a thread of its own; their results as they come."""
        from netarium.run.emulate import ownership
        from netarium.run.emulate.together import Together

        _ = self._hosts_refused  # looked at once, and not by every thread
        ownership.reap()
        self.compiling(True)
        together, stop = Together(len(jobs)), StopRequest()
        self.compiling(False)
        results: queue.SimpleQueue[Result] = queue.SimpleQueue()

        def work(job: Job) -> None:
            with together.member() as member:
                results.put(self.do(job, company=Company(member, stop)))

        threads = [threading.Thread(target=work, args=(job,), name=job.id) for job in jobs]
        try:
            for thread in threads:
                thread.start()
            for _ in threads:
                yield results.get()
        except BaseException:
            stop.request()
            raise
        finally:
            for thread in threads:
                thread.join()
            together.close()

    def do(self, job: Job, afresh: bool = False, company: Company | None = None) -> Result:
        """Do one trial; whatever goes wrong in it is the result. afresh: even where the store has the result.

        company: the trial's part among others that are emulated at once.
        """
        began = time.perf_counter()
        stage = _Stage()
        try:
            result = self._do(job, afresh, stage, company)
        except DiskFull as full:
            result = Result(job.id, "interrupted", str(full), error=full)
        except TrialInvalid as invalid:
            result = Result(job.id, "refused", _invalid(invalid))
        except AdmissionRefused as refused:
            result = Result(job.id, "refused", "; ".join(str(each) for each in refused.refusals))
        except MachineCannot as cannot:
            ran_out = stage.word == "running" and str(cannot).startswith("out of memory")
            result = Result(job.id, "out_of_memory" if ran_out else "refused", str(cannot))
        except MemoryError:
            self._prepared.clear()
            result = Result(job.id, "out_of_memory", f"out of memory while {stage.word}")
        except Exception as error:
            text = " ".join(str(error).split())
            result = Result(
                job.id,
                "crashed",
                f"{type(error).__name__}: {text}"[:CAUSE_CHARACTERS],
                traceback="".join(traceback.format_exception(error)),
            )
        object.__setattr__(result, "wall_s", time.perf_counter() - began)
        return result

    def _do(self, job: Job, afresh: bool, stage: _Stage, company: Company | None) -> Result:
        plan, prepared = self._plan(job)
        plan_digest = plan.digest
        identity = hashlib.sha256(prepared.identity + f"{job.seed}".encode()).hexdigest()
        if not afresh and self._is_known(plan_digest):
            return Result(job.id, "", "", 0.0, identity, plan_digest, prepared.names, known=True)
        if plan.user_functions:
            self._compile(plan)
        stage.word = "activating slices"
        activated = activation.activate(plan.trial, plan)
        if reasons := activation.failed(activated):
            cause = "; ".join(reasons)[:CAUSE_CHARACTERS]
            return Result(job.id, "failed", cause, 0.0, identity, plan_digest, certified=False)
        if plan.emulation is not None:
            document, values, run, engine_s = self._emulated(job, plan, prepared, activated, stage, company)
        else:
            document, values, run, engine_s = self._simulated(job, plan, prepared, activated, stage)
        failed = document["status"] == "failed"
        expect, slices = document["expect"], document["slices"].values()
        return Result(
            job.id,
            document["status"],
            "; ".join(failures(document))[:CAUSE_CHARACTERS] if failed else "",
            0.0,
            identity,
            plan_digest,
            prepared.names,
            array("d", values).tobytes(),
            all(entry["met"] for entry in expect) if expect else None,
            all(entry["certified"] is True for entry in slices) if slices else None,
            run,
            engine_s=engine_s,
        )

    def _simulated(
        self, job: Job, plan: Any, prepared: Prepared, activated: dict[str, Any], stage: _Stage
    ) -> tuple[dict[str, Any], list[float], str, float]:
        """(metrics document, kept values, run folder if one was kept, seconds of engine and measuring)."""
        stage.word = "running"
        began = time.perf_counter()
        samples = simulate(plan)
        stage.word = "measuring"
        document = documented(plan, samples, activated, job.id, QUIET)
        engine_s = time.perf_counter() - began
        values = kept_values(prepared.columns, document, samples)
        run = ""
        if self._keeps(document["status"]):
            run = self._written(self._folder(job, plan), plan, samples, document)
        return document, values, run, engine_s

    def _emulated(
        self,
        job: Job,
        plan: Any,
        prepared: Prepared,
        activated: dict[str, Any],
        stage: _Stage,
        company: Company | None,
    ) -> tuple[dict[str, Any], list[float], str, float]:
        """The same with real hosts; they need a folder, which is taken away again where it is not to be kept.

        The first one compiles the engine in real time, so its deadline is that of compiling.
        """
        from netarium.operate.runner import emulate

        if self._hosts_refused:
            raise MachineCannot(self._hosts_refused)
        stage.word = "running"
        stop, member = (company.stop, company.member) if company is not None else (StopRequest(), None)
        folder = self._folder(job, plan)
        if not self._real_time:
            self.compiling(True)
        try:
            began = time.perf_counter()
            emulated = emulate(plan, folder.path, QUIET, stop, member)
            if member is not None:
                member.sit_down()
            stage.word = "measuring"
            document = documented(plan, emulated.samples, activated, job.id, QUIET, emulated)
            engine_s = time.perf_counter() - began
            values = kept_values(prepared.columns, document, emulated.samples)
            if self._keeps(document["status"]):
                return document, values, self._written(folder, plan, emulated.samples, document), engine_s
            shutil.rmtree(folder.path)
            return document, values, "", engine_s
        except BaseException:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        finally:
            if not self._real_time:
                self.compiling(False)
                self._real_time = True

    def _plan(self, job: Job) -> tuple[Any, Prepared]:
        """(the plan of a trial, what is kept of its variant). Raises TrialInvalid, AdmissionRefused, MachineCannot."""
        key = (job.variant, job.mode)
        found = self._prepared.get(key)
        if found is None:
            found = self._prepare(job)
            self._prepared[key] = found
            self._held += found.nbytes
            while self._held > PREPARED_BYTES and len(self._prepared) > 1:
                self._held -= self._prepared.popitem(last=False)[1].nbytes
        else:
            self._prepared.move_to_end(key)
        if found.plan.trial.seed == job.seed:
            return found.plan, found
        if found.reseeds:
            return reseeded(found.plan, job.seed), found
        return admit(self._trial(job)), found

    def _prepare(self, job: Job) -> Prepared:
        trial = self._trial(job)
        plan = admit(trial)
        columns = kept(self.task.metrics, plan.service_names, plan.graph.port_names)
        return Prepared(
            plan,
            job.mode == "simulate" and only_keys_differ(trial),
            identity_of(trial),
            columns,
            tuple(column.column for column in columns),
            sum(a.nbytes for a in plan.arrays.values()) + 20_000,
        )

    def _trial(self, job: Job) -> Trial:
        variant = self.task.variants[job.variant]
        return self.task.bases[variant.base].trial(variant.changes, job.seed, job.mode)

    def _is_known(self, plan_digest: str) -> bool:
        wanted = int(plan_digest[:16], 16)
        place = bisect_left(self._known, wanted)
        return place < len(self._known) and self._known[place] == wanted

    def _compile(self, plan: Any) -> None:
        self.compiling(True)
        try:
            addresses(plan.user_functions)
        finally:
            self.compiling(False)

    def _keeps(self, status: str) -> bool:
        return self.task.keep == KEEP_ALL or (self.task.keep == KEEP_FAILED and status == "failed")

    def _folder(self, job: Job, plan: Any) -> RunFolder:
        """A new run folder for a trial; one of an earlier attempt, stopped before it was recorded, is taken away."""
        from netarium.store import store
        from netarium.store.campaigns import RUNS

        place = Path(self.task.folder) / RUNS
        if (place / job.id).exists():
            shutil.rmtree(place / job.id)
        return store.create(
            place,
            plan.trial,
            name=job.id,
            digests={"plan": plan.digest},
            assumptions=plan.assumptions,
            estimate=dataclasses.asdict(plan.estimate),
        )

    def _written(self, folder: RunFolder, plan: Any, samples: Samples, document: dict[str, Any]) -> str:
        """Write the record of a run; its path from the campaign's folder."""
        from netarium.store.campaigns import RUNS
        from netarium.store.topology import topology_document

        paths = {each.name: each.nodes for each in plan.admission.reservations}
        folder.write_results(samples, document, topology_document(plan.trial.network, paths))
        folder.finish(document["status"], 0 if document["status"] == "succeeded" else 1)
        return f"{RUNS}/{folder.name}"


@dataclass(frozen=True)
class Company:
    """The part of a trial among others that are emulated at once, and whether all are to stop."""

    member: Member
    stop: StopRequest


@dataclass
class _Stage:
    """What is being done, for the cause of what goes wrong."""

    word: str = "preparing"


def identity_of(trial: Trial) -> bytes:
    """SHA-256 over all that a trial says, but for its seed and the words for people."""
    said = {key: value for key, value in full(trial).items() if key not in UNTOLD}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).digest()


def _invalid(invalid: TrialInvalid) -> str:
    first, more = invalid.problems[0], len(invalid.problems) - 1
    rest = f" (and {more} more)" if more else ""
    return f"the trial is invalid: {first}{rest}"[:CAUSE_CHARACTERS]
