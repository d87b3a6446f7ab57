"""Campaigns on a Ray cluster: one foreman per node, each with the same supervised pool as on one machine.

Ray places the foremen, carries trials and results, and says when a node is gone; the workers below a foreman are
netarium's own (pool.py), so that deadlines, memory limits and crashes mean the same everywhere, and results are the
same bit for bit. What a lost node had not handed over is done by the others. Nodes that join later are used.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from netarium.errors import MachineCannot
from netarium.operate.campaign.crew import Crew

if TYPE_CHECKING:
    from netarium.describe.design import Job
    from netarium.operate.campaign.task import Result, Task

LOCAL = "local"
"""Ray's own word for a new cluster on this machine, even where one stands."""
EXCHANGE_S = 0.25
"""How long a foreman collects results before it hands them over."""
LOOK_S = 3.0
"""How often new nodes are looked for."""
START_S, REACH_S = 300.0, 5.0
LOST_TOLERATED = 3
"""Times that a trial whose node was lost is given to another before it is called crashed."""


class Foreman:
    """Runs a pool of workers on one node; lives in a Ray actor."""

    def __init__(
        self, task: Task, kernel_digest: str, workers: int, deadline_s: float, memory_bytes: int | None
    ):
        from netarium.operate.campaign.pool import Pool
        from netarium.operate.campaign.runner import memory_share
        from netarium.run.kernel.digest import kernel_digest as own_digest

        if own_digest() != kernel_digest:
            raise MachineCannot(
                "a node of the cluster has another version of netarium's engine; install the same one"
            )
        memory = memory_bytes or memory_share(workers)
        self._pool = Pool(task, workers=workers, deadline_s=deadline_s, memory_bytes=memory)
        self._pool.__enter__()

    def exchange(self, jobs: list[Job], afresh: list[Job]) -> tuple[list[Result], int, float]:
        """Take trials, work for a moment, give results: (results, trials wanted, mean seconds of a trial)."""
        pool = self._pool
        pool.submit(jobs)
        pool.submit(afresh, afresh=True)
        until = time.monotonic() + EXCHANGE_S
        found: list[Result] = []
        while pool.backlog and (left := until - time.monotonic()) > 0:
            found += pool.pump(left)
        return found, pool.wanted, pool.mean_s

    def close(self) -> None:
        """End the workers."""
        self._pool.close()


class Node:
    """The campaign's side of one foreman: what it was given, the call under way, how much it wants."""

    def __init__(self, node_id: str, name: str, actor: Any, workers: int) -> None:
        self.node_id, self.name, self.actor, self.workers = node_id, name, actor, workers
        self.given: dict[str, Job] = {}
        self.inbox: deque[Job] = deque()
        self.call: Any = None
        self.wanted = 2 * workers
        self.mean_s = 0.05

    @property
    def room(self) -> int:
        """Trials to have at hand, so that the foreman never waits for the network.

        Twice what an exchange takes would be gone when the trials come that were asked for after the last one.
        """
        ahead = int(4 * EXCHANGE_S * self.workers / max(self.mean_s, 1e-4))
        return max(self.workers, ahead) - len(self.given) - len(self.inbox) + self.workers


class Cluster(Crew):
    """The workers of a cluster, with the interface of a Pool. address: as for ray.init, or `local`.

    workers: of a local cluster, as many as there are cores when 0; other clusters say how many each node has.
    """

    def __init__(
        self,
        address: str,
        task: Task,
        *,
        deadline_s: float,
        memory_bytes: int | None,
        say: Callable[[str], None],
        workers: int = 0,
    ) -> None:
        super().__init__()
        self._address, self._task, self._say, self._workers = address, task, say, workers
        self._limits = (deadline_s, memory_bytes)
        self._nodes: list[Node] = []
        self._lost: dict[str, int] = {}
        self._looked = 0.0
        self._started_ray = False
        self._ray: Any = None

    def __enter__(self) -> Self:
        self._ray = _ray()
        self._connect()
        try:
            self._look(wait_s=START_S)
        except BaseException:
            self.close()
            raise
        return self

    @property
    def size(self) -> int:
        """Trials at once."""
        return sum(node.workers for node in self._nodes)

    @property
    def backlog(self) -> int:
        """Trials submitted and not yet ended."""
        return len(self.inbox) + sum(len(node.given) + len(node.inbox) for node in self._nodes)

    @property
    def wanted(self) -> int:
        """Trials that it would be good to have now."""
        return max(0, sum(max(0, node.room) for node in self._nodes) - len(self.inbox))

    def pump(self, timeout_s: float) -> list[Result]:
        """Hand out trials, wait at most `timeout_s`; the results that came in."""
        self._look()
        self._hand_out()
        calls = {node.call: node for node in self._nodes if node.call is not None}
        found: list[Result] = []
        if not calls:
            time.sleep(timeout_s)
            return found
        ready, _ = self._ray.wait(list(calls), num_returns=1, timeout=timeout_s)
        if ready and len(calls) > 1:
            ready, _ = self._ray.wait(list(calls), num_returns=len(calls), timeout=0)
        for call in ready:
            found += self._collect(calls[call], call)
        self._hand_out()
        return found

    def close(self) -> None:
        """End the foremen and with them the workers; leave the cluster, end it if it was started here."""
        if self._ray is None:
            return
        closing = []
        for node in self._nodes:
            try:
                closing.append(node.actor.close.remote())
            except Exception:  # the node is gone
                continue
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=5.0)
        for node in self._nodes:
            self._ray.kill(node.actor)
        self._nodes.clear()
        if self._started_ray:
            self._ray.shutdown()

    # -- inside

    def _connect(self) -> None:
        ray = self._ray
        if ray.is_initialized():
            return
        self._reach()
        try:
            with _importable() if self._address == LOCAL else contextlib.nullcontext():
                ray.init(
                    address=self._address,
                    include_dashboard=False if self._address == LOCAL else None,
                    log_to_driver=False,
                    logging_level="ERROR",
                    namespace="netarium",
                    **self._own(),
                )
        except (ConnectionError, ValueError, RuntimeError) as error:
            why = str(error).splitlines()[0]
            if self._address not in (LOCAL, "auto") and not _token():
                why += "; if it asks for a token, copy it to ~/.ray/auth_token here"
            raise self._no_cluster(why) from None
        self._started_ray = True

    def _reach(self) -> None:
        """Ray itself waits for minutes for a cluster that is not there. Raises MachineCannot at once."""
        host, _, port = self._address.removeprefix("ray://").rpartition(":")
        if not host or not port.isdigit():
            return
        try:
            socket.create_connection((host, int(port)), REACH_S).close()
        except OSError as error:
            raise self._no_cluster(error.strerror or str(error)) from None

    def _no_cluster(self, why: str) -> MachineCannot:
        return MachineCannot(
            f"no Ray cluster at {self._address} ({why}); docs/campaigns-on-a-cluster.md says how to start one"
        )

    def _own(self) -> dict[str, Any]:
        """What a cluster gets that is started here: it carries descriptions and figures, no large objects."""
        if self._address != LOCAL:
            return {}
        return {"object_store_memory": 80 * 2**20, "num_cpus": self._workers or len(os.sched_getaffinity(0))}

    def _look(self, wait_s: float = 0.0) -> None:
        """Give every node a foreman that has processors and none yet; at least one within `wait_s`."""
        now = time.monotonic()
        if now - self._looked < LOOK_S and self._nodes:
            return
        self._looked = now
        while True:
            known = {node.node_id for node in self._nodes}
            for about in self._ray.nodes():
                cores = int(about["Resources"].get("CPU", 0))
                if about["Alive"] and cores and about["NodeID"] not in known:
                    self._hire(about["NodeID"], about.get("NodeManagerHostname", ""), cores)
            if self._nodes or time.monotonic() - now > wait_s:
                break
            time.sleep(0.2)
        if not self._nodes and wait_s:
            raise MachineCannot("the Ray cluster has no node with a processor")

    def _hire(self, node_id: str, name: str, cores: int) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        deadline_s, memory_bytes = self._limits
        actor_class = self._ray.remote(Foreman)
        actor = actor_class.options(
            num_cpus=cores,
            max_restarts=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=node_id, soft=False),
        ).remote(self._task, self._task.kernel_digest, cores, deadline_s, memory_bytes)
        self._nodes.append(Node(node_id, name, actor, cores))

    def _hand_out(self) -> None:
        """Give waiting trials to nodes, each as many as it has room for, the emptiest first; call idle foremen."""
        share = max(1, -(-len(self.inbox) // max(1, len(self._nodes))))
        for node in sorted(self._nodes, key=lambda each: -each.room):
            count = min(node.room, share, len(self.inbox))
            node.inbox.extend(self.inbox.popleft() for _ in range(count))
        for node in self._nodes:
            if node.call is None and (node.inbox or node.given):
                jobs = list(node.inbox)
                node.inbox.clear()
                node.given |= {job.id: job for job in jobs}
                afresh = [job for job in jobs if job.id in self.afresh]
                plain = [job for job in jobs if job.id not in self.afresh]
                node.call = node.actor.exchange.remote(plain, afresh)

    def _collect(self, node: Node, call: Any) -> list[Result]:
        from ray.exceptions import RayError, RayTaskError

        node.call = None
        try:
            results, node.wanted, node.mean_s = self._ray.get(call)
        except RayTaskError as error:
            raise error.cause if isinstance(error.cause, Exception) else error from None
        except RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, MachineCannot):
                raise cause from None
            return self._bury(node)
        found = []
        for result in results:
            if node.given.pop(result.id, None) is not None:
                self.afresh.discard(result.id)
                found.append(result)
        return found

    def _bury(self, node: Node) -> list[Result]:
        """A node is lost: what it had goes to the others."""
        from netarium.operate.campaign.task import Result

        self._nodes.remove(node)
        self._say(f"Node {node.name or node.node_id[:8]} is lost; its {len(node.given)} trials go to others.")
        found = []
        for job in [*node.given.values(), *node.inbox]:
            self._lost[job.id] = self._lost.get(job.id, 0) + 1
            if self._lost[job.id] > LOST_TOLERATED:
                cause = f"its node was lost {self._lost[job.id]} times"
                found.append(Result(job.id, "crashed", cause))
            else:
                self.inbox.append(job)
        self._look(wait_s=60.0 if not self._nodes else 0.0)
        return found


@contextlib.contextmanager
def _importable() -> Iterator[None]:
    """Processes that start meanwhile find this netarium; by their environment, as Ray's own way to pass it on
    (runtime_env) costs the workers that it has started ahead.
    """
    before = os.environ.get("PYTHONPATH")
    source = str(Path(__file__).resolve().parents[3])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [source, before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _token() -> bool:
    """Whether this user has a token for clusters, where Ray looks for it."""
    named = os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token"
    return "RAY_AUTH_TOKEN" in os.environ or Path(named).is_file()


def _ray() -> Any:
    """The module, without its usage statistics. Raises MachineCannot when it is not installed.

    A token that is there is used: Ray's `start` asks for one as soon as there is one, but a program that names the
    cluster's address has to say that it has it; a cluster without tokens lets it in too.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if _token() and "ray" not in sys.modules:  # it has looked already
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise MachineCannot("Ray is not installed; install it with: pip install 'netarium[ray]'") from None
    return ray
