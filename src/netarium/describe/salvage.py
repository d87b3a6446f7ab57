"""Check what is left of a broken trial: parts that cannot be read are set aside, the rest is checked."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from netarium.describe.paths import Path, format_path, parse_path
from netarium.describe.trial import UNCHECKED, Trial
from netarium.errors import Mistake, Problem, TrialInvalid

_LISTS = ("events", "expect")
# Stand in for parts that cannot be read, so that their names are still known.
_HARMLESS = {
    "services": {"kind": "bulk", "from": "a", "to": "b"},
    "slices": {"from": "a", "to": "b", "bandwidth": "1 bit/s"},
}


def salvaged(data: Mapping[str, Any], known: list[Problem], folder: FilePath | None) -> list[Problem]:
    """Problems of the whole of what remains when the parts with `known` problems are set aside.

    Only problems that are certain: nothing is said about names that a part set aside may have defined.
    """
    paths = [path for path in (_path(problem.where) for problem in known) if path is not None]
    rest = copy.deepcopy(dict(data))
    aside = _Aside(rest)
    for path in paths:
        aside.remove(path)
    try:
        trial = Trial.model_validate(aside.finished(), context={UNCHECKED: True}).placed(folder)
        problems = trial.problems()
    except (ValidationError, TrialInvalid, Mistake):
        return []
    return [aside.restored(problem) for problem in problems if not aside.doubtful(problem)]


def _path(where: str) -> Path | None:
    try:
        return parse_path(where)
    except Mistake:
        return None


class _Aside:
    """A trial's data from which broken parts are taken out, and what can then no longer be said."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.dropped: set[Path] = set()
        self.indices: dict[str, list[int]] = {
            key: list(range(len(data[key]))) for key in _LISTS if isinstance(data.get(key), list)
        }
        self.network_whole = True

    def remove(self, path: Path) -> None:
        """Take the part with this path out, or put something harmless in its place."""
        top = path[0]
        if top == "network":
            self._remove_network(path)
        elif top in ("services", "slices") and len(path) > 1:
            part = self.data.get(top)
            if isinstance(part, dict) and path[1] in part:
                part[path[1]] = dict(_HARMLESS[str(top)])
            self.dropped.add((top, path[1]))
        elif top in _LISTS and len(path) > 1 and isinstance(path[1], int) and top in self.indices:
            self.indices[str(top)] = [index for index in self.indices[str(top)] if index != path[1]]
        else:
            self.data.pop(str(top), None)
            self.dropped.add((top,))

    def _remove_network(self, path: Path) -> None:
        network = self.data.get("network")
        if not isinstance(network, dict) or len(path) < 2:
            self.data["network"] = {"nodes": {"unknown": {}}}
            self.network_whole = False
            self.dropped.add(("network",))
            return
        section = path[1]
        part = network.get(section)
        if section == "nodes" and len(path) > 2 and isinstance(part, dict) and path[2] in part:
            part[path[2]] = {}
        else:
            if section in ("nodes", "topology"):
                self.dropped.add(("network",))
            if section == "links" and len(path) > 2 and isinstance(part, list) and isinstance(path[2], int):
                part[path[2]] = self._stand_in(network)
                self.dropped.add(path[:3])
            else:
                network.pop(section, None)
                self.dropped.add(("network", "defaults"))
            self.network_whole = False

    @staticmethod
    def _stand_in(network: dict[str, Any]) -> dict[str, Any]:
        """A link that can be read, so that the others keep their places."""
        nodes = network.setdefault("nodes", {})
        ends = [*nodes, "unknown", "unknown2"][:2] if isinstance(nodes, dict) else ["unknown", "unknown2"]
        if isinstance(nodes, dict):
            nodes.update({end: {} for end in ends if end not in nodes})
        return {"endpoints": ends, "rate": "1 Gbit/s", "delay": 0}

    def finished(self) -> dict[str, Any]:
        """Data of which every part can be read, if the rest can."""
        data = self.data
        for key, kept in self.indices.items():
            if isinstance(data.get(key), list):
                data[key] = [data[key][index] for index in kept]
        network = data.get("network")
        if isinstance(network, dict) and not network.get("nodes") and not network.get("topology"):
            network["nodes"] = {"unknown": {}}
        if ("trial",) in self.dropped or "trial" not in data:
            data["trial"] = "broken"
        if ("duration",) in self.dropped or "duration" not in data:
            data["duration"] = "100 d"
            self.dropped.add(("duration",))
        return data

    def restored(self, problem: Problem) -> Problem:
        """The problem with the index that its part has in the file."""
        path = _path(problem.where)
        if path is None or len(path) < 2 or path[0] not in self.indices or not isinstance(path[1], int):
            return problem
        index = self.indices[str(path[0])][path[1]]
        where = format_path((path[0], index, *path[2:]))
        return Problem(where, problem.found, problem.expected, problem.hint, problem.file)

    def doubtful(self, problem: Problem) -> bool:
        """Whether the problem may only be there because something was set aside."""
        path = _path(problem.where)
        if path is None or path in self.dropped:
            return True
        nodes_known = ("network",) not in self.dropped
        if path[0] == "network":
            unsure = ("network", "defaults") in self.dropped or not nodes_known
            return unsure or path[:3] in self.dropped
        if not nodes_known and path[0] in ("services", "slices", "events", "probes"):
            return not (path[0] == "services" and path[-1] == "slice" and not self._dropped_name(problem))
        if not self.network_whole and (
            problem.found.startswith("no route") or path[0] in ("events", "probes")
        ):
            return True
        if not self.network_whole and ("path" in path or "links." in problem.found or "->" in problem.found):
            return True
        return path[:2] in self.dropped or self._dropped_name(problem) or path == ("services",)

    def _dropped_name(self, problem: Problem) -> bool:
        return any(len(path) == 2 and problem.found.startswith(repr(path[1])) for path in self.dropped)
