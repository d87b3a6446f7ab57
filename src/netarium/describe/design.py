"""The design of a campaign: its trials one by one, each with a stable id; and loading it with every mistake at once."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netarium.describe.campaign import TRIALS_MAX, Campaign, Selection
from netarium.describe.files import FILE_FIELDS, parts_of
from netarium.describe.overrides import apply_values
from netarium.describe.paths import format_path, parse_path
from netarium.describe.sweeps import crossed, crossed_count
from netarium.describe.trial import Source, Trial
from netarium.errors import Mistake, Problem, TrialInvalid, did_you_mean, one_of
from netarium.units import Value

ID_CHARACTERS = 16


@dataclass(frozen=True)
class Base:
    """A trial that sweeps change: its data as read, what `set` changes applied; where its own files start from."""

    word: str
    file: str
    folder: Path | None
    data: dict[str, Any]
    text: str = ""

    def trial(
        self, changes: Sequence[tuple[str, Any]] = (), seed: int | None = None, mode: str = ""
    ) -> Trial:
        """The trial with changes applied. Raises TrialInvalid with every problem."""
        from netarium.describe.loader import build

        problems: list[Problem] = []
        data = apply_values(self.data, changes, problems)
        if seed is not None:
            data["seed"] = seed
        if mode:
            data["mode"] = mode
        trial, found = build(data, self.folder)
        problems += found
        if trial is None or problems:
            raise TrialInvalid(problems)
        typed = [
            f"{path}={value if isinstance(value, str) else _canonical(value)}" for path, value in changes
        ]
        typed += [f"seed={seed}"] * (seed is not None) + [f"mode={mode}"] * bool(mode)
        return trial.placed(self.folder, Source(self.text, self.file, tuple(typed)))

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over the data, and the contents of the files it names."""
        sha = hashlib.sha256(_canonical(self.data).encode())
        for path in self.files:
            sha.update(path.read_bytes())
        return sha.hexdigest()

    @functools.cached_property
    def files(self) -> list[Path]:
        """The files that the trial names, and that exist."""
        try:
            trial = self.trial()
        except TrialInvalid:
            return []
        found = [
            trial.locate(name)
            for _, part in parts_of(trial)
            for key in FILE_FIELDS
            if key in type(part).model_fields and isinstance(name := getattr(part, key), str)
        ]
        return [path for path in dict.fromkeys(found) if path.is_file()]


@dataclass(frozen=True)
class Variant:
    """One setting of all parameters: which base, what changes, what the columns of the parameters say; its seeds and modes."""

    base: int
    changes: tuple[tuple[str, Any], ...]
    parameters: tuple[tuple[str, Any], ...]
    seeds: tuple[int, ...] = ()
    modes: tuple[str, ...] = ()

    @functools.cached_property
    def text(self) -> str:
        """The parameters in short: congestion=bbr, delay=10 ms."""
        return ", ".join(f"{short_name(path)}={shown(value)}" for path, value in self.parameters) or "base"


@dataclass(frozen=True)
class Job:
    """One trial of a campaign, by the numbers of its variant, seed and mode."""

    id: str
    variant: int
    seed: int
    mode: str


@dataclass
class Design:
    """A campaign and all its trials."""

    campaign: Campaign
    bases: list[Base]
    variants: list[Variant]
    text: str = ""
    file: str = ""
    where: list[tuple[tuple[str | int, ...], ...]] = field(default_factory=list)
    """Of each variant, the places of its changes in the campaign's file."""

    def __len__(self) -> int:
        return sum(len(variant.seeds) * len(variant.modes) for variant in self.variants)

    def jobs(self) -> Iterator[Job]:
        """Every trial, variant by variant."""
        for number, variant in enumerate(self.variants):
            sha = hashlib.sha256(self.bases[variant.base].digest.encode())
            sha.update(_canonical([[path, value] for path, value in variant.changes]).encode())
            sha.update(self._contents(variant))
            for mode in variant.modes:
                for seed in variant.seeds:
                    own = sha.copy()
                    own.update(f"{seed} {mode}".encode())
                    yield Job(own.hexdigest()[:ID_CHARACTERS], number, seed, mode)

    def trial(self, variant: int, seed: int, mode: str) -> Trial:
        """The trial of a variant, seed and mode. Raises TrialInvalid."""
        chosen = self.variants[variant]
        return self.bases[chosen.base].trial(chosen.changes, seed, mode)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over the ids of all trials and what is kept of them: the same campaign has the same one."""
        sha = hashlib.sha256(_canonical([window.column for window in self.campaign.metrics]).encode())
        for job_id in sorted(job.id for job in self.jobs()):
            sha.update(job_id.encode())
        return sha.hexdigest()

    def parameters(self) -> list[dict[str, Any]]:
        """{name, path, values} of every parameter that is swept, in the order of the file; names are unique."""
        values: dict[str, dict[str, Any]] = {}
        for variant in self.variants:
            for path, value in variant.parameters:
                values.setdefault(path, {}).setdefault(_canonical(value), value)
        return [
            {"name": unique_name(path, list(values)), "path": path, "values": list(found.values())}
            for path, found in values.items()
        ]

    def _contents(self, variant: Variant) -> bytes:
        """Digests of files that the changes name: another content is another trial."""
        found = b""
        for path, value in variant.changes:
            step = parse_path(path)[-1]
            if step in FILE_FIELDS and isinstance(value, str):
                file = (self.bases[variant.base].folder or Path.cwd()) / Path(value).expanduser()
                found += _digest_of(str(file))
        return found


@functools.lru_cache(maxsize=4096)
def _digest_of(file: str) -> bytes:
    return hashlib.sha256(Path(file).read_bytes()).digest() if os.path.isfile(file) else b""


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def short_name(path: str) -> str:
    """The last step of a path that is a name: congestion of transport.congestion."""
    try:
        names = [str(step) for step in parse_path(path) if isinstance(step, str) and step != "*"]
    except Mistake:
        return path
    return names[-1] if names else path


def unique_name(path: str, others: Sequence[str]) -> str:
    """As many last steps of a path as tell it from the others."""
    steps = [str(step) for step in parse_path(path)]
    for count in range(1, len(steps) + 1):
        name = ".".join(steps[-count:])
        if sum(".".join(map(str, parse_path(other)[-count:])) == name for other in others) == 1:
            return name
    return path


def shown(value: Any) -> str:
    """A value as short text."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("kind"), str):
        return ":".join([value["kind"], *(shown(v) for key, v in value.items() if key != "kind")])
    return _canonical(value)


@dataclass(frozen=True)
class ParameterColumn:
    """How a parameter stands in the results: `numbers` in SI units where every value is a number or one kind of
    quantity, else the texts alone."""

    path: str
    kind: str
    unit: str

    def cells(self, value: Any) -> dict[str, Any]:
        """The columns of one row."""
        if self.kind == "string":
            return {f"param.{self.path}": None if value is None else shown(value)}
        number = None if value is None else float(Value(value))
        if self.kind == "int64" and number is not None:
            number = int(value)
        return {
            f"param.{self.path}": number,
            f"param.{self.path}.text": None if value is None else shown(value),
        }


_UNITS = {"rate": "bit/s", "time": "s", "size": "B", "length": "m", "frequency": "/s"}


def parameter_column(path: str, values: Sequence[Any]) -> ParameterColumn:
    """The column of a parameter with these values."""
    if all(type(value) is int for value in values):
        return ParameterColumn(path, "int64", "")
    try:
        dimensions = {Value(value).dimension for value in values}
    except Mistake:
        return ParameterColumn(path, "string", "")
    if len(dimensions - {"ratio", None}) + bool(dimensions & {"ratio", None}) != 1:
        return ParameterColumn(path, "string", "")
    return ParameterColumn(path, "float64", _UNITS.get(str(dimensions.pop()), ""))


def design_of(
    campaign: Campaign,
    find: Callable[[str], Base],
    matching: Callable[[str], Sequence[str]],
    text: str = "",
    file: str = "",
) -> Design:
    """The design of a campaign. find: the base that a word means; matching: the files that a pattern means.

    Raises TrialInvalid: bases that are wrong, or more trials than a campaign may have.
    """
    count = crossed_count(campaign.sweeps, matching) * len(campaign.seeds) * len(campaign.modes)
    if count > TRIALS_MAX:
        raise TrialInvalid([Problem("sweeps", f"{count:,} trials", f"at most {TRIALS_MAX:,}", file=file)])
    found = crossed(campaign.sweeps, matching)
    bases: list[Base] = []
    at: dict[str, int] = {}
    for point in found:
        if point.file not in at:
            at[point.file] = len(bases)
            bases.append(_prepared(campaign, find(point.file) if point.file else _given(campaign, find)))
    variants = [
        Variant(at[point.file], point.changes, point.parameters, campaign.seeds, campaign.modes)
        for point in found
    ]
    chosen = selected(campaign, variants, [point.where for point in found])
    return Design(campaign, bases, chosen.variants, text, file, chosen.where)


@dataclass
class _Chosen:
    """Variants, and of each the places of its changes in the campaign's file."""

    variants: list[Variant]
    where: list[tuple[tuple[str | int, ...], ...]]


def selected(
    campaign: Campaign, variants: list[Variant], where: list[tuple[tuple[str | int, ...], ...]]
) -> _Chosen:
    """The variants with those apart that `emulated` chooses. Raises TrialInvalid where it chooses none."""
    chosen = _Chosen(variants, where)
    for index, selection in enumerate(campaign.emulated):
        at = ("emulated", index)
        problems = list(_selection_wrong(campaign, selection, chosen.variants, at))
        if problems:
            raise TrialInvalid(problems)
        before, chosen = chosen, _Chosen([], [])
        for variant, places in zip(before.variants, before.where, strict=True):
            own = variant.seeds if _matches(selection, variant) else ()
            seeds = tuple(seed for seed in own if selection.seeds is None or seed in selection.seeds)
            rest = tuple(seed for seed in variant.seeds if seed not in seeds)
            if rest:
                chosen.variants.append(dataclasses.replace(variant, seeds=rest))
                chosen.where.append(places)
            if seeds:
                changes = variant.changes + tuple(selection.set.items())
                chosen.variants.append(
                    dataclasses.replace(variant, changes=changes, seeds=seeds, modes=("emulate",))
                )
                chosen.where.append(places + tuple((*at, "set", path) for path in selection.set))
    return chosen


def _values(given: Any) -> set[str]:
    return {_canonical(value) for value in (given if isinstance(given, list) else [given])}


def _matches(selection: Selection, variant: Variant) -> bool:
    """Whether a variant has one of the wanted values of every parameter, and is not emulated already."""
    own = dict(variant.parameters)
    known = all(path in own and _canonical(own[path]) in _values(v) for path, v in selection.where.items())
    return known and variant.modes != ("emulate",)


def _selection_wrong(
    campaign: Campaign, selection: Selection, variants: Sequence[Variant], at: tuple[str | int, ...]
) -> Iterator[Problem]:
    """Parameters that are not swept, values that none of them has, seeds that the campaign has not."""
    swept: dict[str, dict[str, Any]] = {}
    for variant in variants:
        for path, value in variant.parameters:
            swept.setdefault(path, {}).setdefault(_canonical(value), value)
    for path, given in selection.where.items():
        where = format_path((*at, "where", path))
        if path not in swept:
            yield Problem(where, repr(path), f"what is swept: {one_of(swept)}", did_you_mean(path, swept))
            continue
        known = [shown(value) for value in swept[path].values()]
        for value in sorted(_values(given) - set(swept[path])):
            word = shown(json.loads(value))
            yield Problem(
                where, repr(word), f"a value that is swept: {one_of(known)}", did_you_mean(word, known)
            )
    for seed in selection.seeds or ():
        if seed not in campaign.seeds:
            yield Problem(
                format_path((*at, "seeds")),
                str(seed),
                f"seeds of the campaign: {one_of(map(str, campaign.seeds))}",
            )
    if not any(_matches(selection, variant) for variant in variants) and all(
        p in swept for p in selection.where
    ):
        yield Problem(
            format_path(at), "no trial that is not emulated already", "a combination that the sweeps have"
        )


def _given(campaign: Campaign, find: Callable[[str], Base]) -> Base:
    if isinstance(campaign.base, str):
        return find(campaign.base)
    return Base("", "", campaign._folder, dict(campaign.base))


def _prepared(campaign: Campaign, base: Base) -> Base:
    """The base with its variant and the campaign's `set` applied."""
    data = dict(base.data)
    variants = data.pop("variants", None) or {}
    changes: list[tuple[str, Any]] = []
    if campaign.variant is not None:
        if campaign.variant not in variants:
            expected = f"a variant of {base.word or 'the base'}: {', '.join(variants) or 'it has none'}"
            raise TrialInvalid([Problem("variant", repr(campaign.variant), expected)])
        changes += variants[campaign.variant].items()
    changes += campaign.set.items()
    problems: list[Problem] = []
    data = apply_values(data, changes, problems)
    if problems:
        raise TrialInvalid([dataclasses.replace(each, where="set") for each in problems])
    return Base(base.word, base.file, base.folder, data, base.text)
