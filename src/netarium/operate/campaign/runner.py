"""Run a campaign: what is recorded already is left out, the rest is done by workers here or elsewhere, and kept.

    outcome = run_campaign(load("shootout.campaign.yml"), workers=2)
    outcome.record.table        one row per trial

The same call carries on where a campaign was stopped, by Ctrl-C, a kill or a power cut.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from netarium.errors import NetariumError, RunInterrupted
from netarium.operate.campaign import keeping
from netarium.operate.campaign.order import Order
from netarium.operate.campaign.progress import CampaignWatcher, Tally
from netarium.operate.interrupts import StopRequest, stop_on_signals
from netarium.run.kernel.digest import kernel_digest
from netarium.store.campaignfolder import CampaignFolder, Described, Row, open_folder
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.design import Design, Job, ParameterColumn
    from netarium.operate.campaign.nurse import Nurse
    from netarium.operate.campaign.task import Result
    from netarium.store.campaigns import CampaignRecord

RETRIED = ("crashed", "timeout", "out_of_memory")
"""The statuses that `--retry` runs again: those that another machine, or more room, could change."""
PUMP_S, SYNC_S, PART_S = 0.1, 1.0, 10.0
"""How long to wait for results; how often they are forced to the disk, and become a Parquet part."""
ESTIMATED_UP_TO = 200
"""Variants whose duration is estimated before the first trial, where few seeds would measure it too late."""
MEMORY_SHARE = 0.8


class Workers(Protocol):
    """What does trials: a pool on this machine, or many of them on a Ray cluster."""

    @property
    def backlog(self) -> int:
        """Trials submitted and not yet ended."""

    @property
    def wanted(self) -> int:
        """Trials that it would be good to have now."""

    @property
    def size(self) -> int:
        """Trials at once."""

    def submit(self, jobs: Sequence[Job], afresh: bool = False) -> None:
        """Add trials."""

    def pump(self, timeout_s: float) -> list[Result]:
        """Wait a little; the trials that ended."""


@dataclass
class CampaignOutcome:
    """How a campaign ended: its record, how many trials have which status, how many of them were run now."""

    record: CampaignRecord
    statuses: dict[str, int]
    ran: int = 0
    taken: int = 0
    resumed: int = 0
    wall_s: float = 0.0
    error: NetariumError | None = None

    @property
    def exit_code(self) -> int:
        """0: every trial succeeded; 1: some did not; 5: stopped by the user."""
        if self.error is not None:
            return self.error.exit_code
        return 0 if set(self.statuses) <= {"succeeded"} else 1


@dataclass
class Options:
    """How a campaign is to be run. workers 0: as many as this process may use cores."""

    runs: Path | None = None
    workers: int = 0
    emulated: int = 1
    ray: str | None = None
    keep: str | None = None
    retry: bool = False
    argv: Sequence[str] = ()

    @property
    def workers_here(self) -> int:
        return self.workers or len(os.sched_getaffinity(0))


def run_campaign(
    design: Design, options: Options | None = None, watcher: CampaignWatcher | None = None
) -> CampaignOutcome:
    """Run a campaign, or carry on with it.

    Raises RecordError (another process runs it, or its folder is damaged), DiskFull, MachineCannot; what was finished
    until then is kept, and the same call carries on. A stop by the user is in the outcome's `error`.
    """
    return _Campaign(design, options or Options(), watcher or CampaignWatcher()).run()


@dataclass
class _Campaign:
    """One execution of a campaign."""

    design: Design
    options: Options
    watcher: CampaignWatcher
    columns: dict[str, ParameterColumn] = field(default_factory=dict)
    executed: int = 0
    ran: int = 0
    taken: int = 0
    _cells_of: dict[int, dict[str, Any]] = field(default_factory=dict)
    _tracebacks: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> CampaignOutcome:
        began = time.monotonic()
        nurse = self._nurse()  # loads the engine while the record is opened
        try:
            return self._run(began, nurse)
        finally:
            if nurse is not None:
                nurse.close()

    def _nurse(self) -> Nurse | None:
        from netarium.operate.campaign.nurse import Nurse

        if self.options.ray is not None:
            return None
        real_hosts = any("emulate" in variant.modes for variant in self.design.variants)
        return Nurse(self._compiling, real_hosts)

    def _run(self, began: float, nurse: Nurse | None) -> CampaignOutcome:
        folder, resumed = self._open()
        try:
            if resumed and self.options.retry:
                folder.reopen(RETRIED)
            done_before = len(folder.done)
            error = self._carry_on(folder, nurse) if done_before < len(self.design) else None
            if len(folder.done) >= len(self.design) and not folder.complete:
                folder.finish(_stop_document(folder, self, time.monotonic() - began))
        finally:
            folder.close()
        from netarium.store.campaigns import read_campaign

        record = read_campaign(folder.path)
        return CampaignOutcome(
            record, dict(folder.statuses), self.ran, self.taken, done_before, time.monotonic() - began, error
        )

    # -- the record

    def _open(self) -> tuple[CampaignFolder, bool]:
        from netarium.describe.design import parameter_column
        from netarium.measure import kept
        from netarium.operate.campaign.documents import campaign_digest, campaign_document, inputs, typed

        parameters = self.design.parameters()
        self.columns = {p["path"]: parameter_column(p["path"], p["values"]) for p in parameters}
        described: dict[str, tuple[str, str, str]] = {}
        for parameter in parameters:
            column = self.columns[parameter["path"]]
            described[f"param.{column.path}"] = (column.kind, column.unit, f"parameter {parameter['name']}")
            if column.kind != "string":
                described[f"param.{column.path}.text"] = ("string", "", f"{parameter['name']} as written")
        return open_folder(
            self.options.runs,
            self.design.campaign.campaign,
            campaign_digest(self.design),
            Described(described, kept.unit, kept.meaning),
            lambda name: campaign_document(self.design, name, self.keep, self.options.argv),
            typed(self.design),
            inputs(self.design),
        )

    @property
    def keep(self) -> str:
        return self.options.keep or keeping.default(len(self.design))

    # -- the trials

    def _carry_on(self, folder: CampaignFolder, nurse: Nurse | None) -> NetariumError | None:
        """Do what is not recorded yet; the interruption when the user stopped it."""
        from netarium.operate.campaign.known import Known

        self.executed = len(folder.done)
        known = Known(folder.path.parent, folder.path, kernel_digest())
        left = [job for job in self.design.jobs() if job.id not in folder.done]
        tally = Tally(self.design, folder.statuses, len(left))
        self.watcher.begin(tally, folder.path)
        with self.watcher, stop_on_signals(lambda: self.watcher.say("Stopping.")) as stop:
            for mode in ("simulate", "emulate"):  # emulated trials have the machine to themselves
                jobs = [job for job in left if job.mode == mode]
                if jobs and not stop():
                    self._do(
                        jobs, mode, self._workers(mode, folder, known, nurse), folder, known, tally, stop
                    )
        folder.flush()
        if not stop() or len(folder.done) >= len(self.design):
            return None
        return RunInterrupted(
            f"Stopped by the user with {len(folder.done):,} of {len(self.design):,} trials done. "
            f"The same command carries on. The record is {folder.path}"
        )

    def _do(
        self, jobs: list[Job], mode: str, manned: AbstractContextManager[Workers], folder: CampaignFolder,
        known: Any, tally: Tally, stop: StopRequest,
    ) -> None:  # fmt: skip
        order = Order(jobs, self.design.campaign.shuffle, self._estimates(mode))
        by_id = {job.id: job for job in jobs}
        synced = flushed = time.monotonic()
        with manned as workers:
            tally.workers = workers.size
            while (order.left or workers.backlog) and not stop():
                workers.submit(order.take(workers.wanted, workers.size))
                rows = []
                ended = workers.pump(PUMP_S)
                for result in ended:
                    job = by_id.get(result.id)
                    if job is None or result.error is not None:
                        continue
                    row = self._row(job, result, known)
                    if row is None:
                        workers.submit([job], afresh=True)
                        continue
                    del by_id[result.id]
                    rows.append(row)
                    order.measured(job.variant, result.wall_s)
                    tally.add(job.variant, row)
                folder.add(rows)
                for result in ended:
                    if result.error is not None:
                        raise result.error
                self._keep_tracebacks(folder)
                now = time.monotonic()
                if now - synced > SYNC_S:
                    folder.sync()
                    synced = now
                if now - flushed > PART_S:
                    folder.flush()
                    flushed = now
                self.watcher.update()

    def _row(self, job: Job, result: Result, known: Any) -> Row | None:
        """The row of a result; None when an identical trial in the store does not have all that is wanted."""
        fixed: dict[str, Any] = {
            "id": job.id,
            "variant": self.design.variants[job.variant].text,
            "seed": job.seed,
            "mode": job.mode,
            "status": result.status,
            "cause": result.cause,
            "wall_s": result.wall_s,
            "order": self.executed,
            "run": result.run,
            "trial_digest": result.trial_digest,
            "plan_digest": result.plan_digest,
            "kernel_digest": kernel_digest(),
            "source": "",
            "verdict.expect": result.expect,
            "verdict.certified": result.certified,
        }
        values = result.values
        if result.known:
            found = known.take(result)
            if found is None:
                return None
            fixed |= found[0]
            values = found[1]
            self.taken += 1
        else:
            self.ran += 1
        self.executed += 1
        if result.traceback:
            self._tracebacks.append((job.id, result.traceback))
        return Row(fixed, self._cells(job.variant), result.columns, values)

    def _cells(self, variant: int) -> dict[str, Any]:
        cells = self._cells_of.get(variant)
        if cells is None:
            cells = {}
            for path, value in self.design.variants[variant].parameters:
                cells |= self.columns[path].cells(value)
            self._cells_of[variant] = cells
        return cells

    def _keep_tracebacks(self, folder: CampaignFolder) -> None:
        """What netarium or a user's file raised, in full, beside the results."""
        from netarium.store import files

        for job_id, text in self._tracebacks:
            place = folder.path / "tracebacks"
            place.mkdir(exist_ok=True)
            files.write_text(place / f"{job_id}.txt", text)
        self._tracebacks.clear()

    def _estimates(self, mode: str) -> Mapping[int, float]:
        """Expected seconds by variant, where measuring them in the first round would come too late."""
        few_seeds = len(self.design.campaign.seeds) < 3
        if mode != "simulate" or not few_seeds or not 1 < len(self.design.variants) <= ESTIMATED_UP_TO:
            return {}
        from netarium.operate.campaign.forecast import forecast

        return forecast(self.design, keeping.KEEP_NONE, ESTIMATED_UP_TO).by_variant

    def _workers(
        self, mode: str, folder: CampaignFolder, known: Any, nurse: Nurse | None
    ) -> AbstractContextManager[Workers]:
        from netarium.operate.campaign.task import Task

        task = Task(
            self.design.bases,
            self.design.variants,
            self.design.campaign.metrics,
            str(folder.path.resolve()),
            self.keep,
            kernel_digest(),
            known.prefixes() if mode == "simulate" else b"",
        )
        limits = self.design.campaign.limits
        deadline_s = limits.deadline / SECOND_PS
        if self.options.ray is not None and mode == "simulate":
            from netarium.operate.campaign.cluster import Cluster

            return Cluster(
                self.options.ray,
                task,
                deadline_s=deadline_s,
                memory_bytes=limits.memory,
                say=self.watcher.say,
            )
        if mode == "emulate" and self.options.emulated > 1:
            from netarium.operate.campaign.together import Batches

            size = self.options.emulated
            memory_bytes = limits.memory * size if limits.memory else memory_share(1)
            return Batches(task, size=size, deadline_s=deadline_s, memory_bytes=memory_bytes, nurse=nurse)
        from netarium.operate.campaign.pool import Pool

        workers = 1 if mode == "emulate" else self.options.workers_here
        return Pool(
            task,
            workers=workers,
            deadline_s=deadline_s,
            memory_bytes=limits.memory or memory_share(workers),
            nurse=nurse,
            real_hosts=mode == "emulate",
        )

    def _compiling(self) -> None:
        from netarium.operate.progress import COMPILE_ESTIMATE_S

        self.watcher.say(f"Compiling the engine once (about {COMPILE_ESTIMATE_S} s; kept for later runs)")


def memory_share(workers: int) -> int:
    """What each of so many trials may take of the memory that is free now, bytes."""
    import psutil

    return int(MEMORY_SHARE * psutil.virtual_memory().available / workers)


def _stop_document(folder: CampaignFolder, campaign: _Campaign, wall_s: float) -> dict[str, Any]:
    succeeded = set(folder.statuses) <= {"succeeded"}
    return {
        "status": "succeeded" if succeeded else "failed",
        "exit_code": 0 if succeeded else 1,
        "trials": len(folder.done),
        "statuses": dict(sorted(folder.statuses.items())),
        "taken_from_store": campaign.taken,
        "wall_s": wall_s,
        "ended": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
