"""Where a campaign comes from: a file, standard input, or a bundled one; and the trials that it names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netarium.errors import Problem, TrialInvalid, did_you_mean, one_of
from netarium.operate import trialfile
from netarium.operate.trialfile import TrialFile

if TYPE_CHECKING:
    from netarium.describe.campaign import Campaign
    from netarium.describe.design import Base, Design

SUFFIX = ".campaign.yml"


def examples() -> dict[str, Path]:
    """Name and file of every bundled campaign, in alphabetical order."""
    return {
        path.name.removesuffix(SUFFIX): path
        for path in sorted(trialfile.examples_folder().rglob("*" + SUFFIX))
    }


def find(word: str) -> TrialFile:
    """The campaign that `word` means on the command line. Raises TrialInvalid."""
    path = Path(word)
    if word == trialfile.STANDARD_INPUT:
        return trialfile.find(word)
    if path.is_dir():
        found = sorted(path.glob("*" + SUFFIX))
        if len(found) == 1:
            return trialfile.read(found[0])
        names = ", ".join(each.name for each in found) or f"no *{SUFFIX} file"
        raise TrialInvalid([Problem("", names, "exactly one campaign in this folder", "name the file")])
    bundled = examples()
    for candidate in (path, path.with_name(path.name + SUFFIX), bundled.get(word)):
        if candidate is not None and candidate.is_file():
            return trialfile.read(candidate)
    near = [str(each) for each in path.parent.glob("*" + SUFFIX)] if path.parent.is_dir() else []
    expected = f"a campaign file, or {one_of(bundled)}" if bundled else "a campaign file"
    raise TrialInvalid(
        [
            Problem(
                "",
                f"{word!r}, which is neither a file nor a bundled campaign",
                expected,
                did_you_mean(word, [*bundled, *near]),
            )
        ]
    )


def load(word: str) -> Design:
    """The design of a campaign by file or name. Raises TrialInvalid with every mistake."""
    from netarium.describe.campaignfile import loads

    file = find(word)
    return loads(
        file.text, base_finder(file.folder), matcher(file.folder), file=file.name, folder=file.folder
    )


def design(campaign: Campaign, folder: Path | None = None) -> Design:
    """The design of a campaign built in Python; files start from `folder`, else from the current one."""
    from netarium.describe.campaignfile import designed

    place = folder or Path.cwd()
    return designed(campaign, base_finder(place), matcher(place))


def base_finder(folder: Path) -> Callable[[str], Base]:
    """word -> the base it means: a file beside the campaign, or a bundled trial. Raises TrialInvalid."""
    known: dict[str, Base] = {}

    def find_base(word: str) -> Base:
        if word not in known:
            known[word] = _base(word, folder)
        return known[word]

    return find_base


def _base(word: str, folder: Path) -> Base:
    from netarium.describe import yamltext
    from netarium.describe.design import Base
    from netarium.operate import variants

    beside = folder / word
    file = trialfile.find(str(beside)) if beside.exists() else trialfile.find(word)
    data = yamltext.read(file.text).data
    kept = data.get("variants") if isinstance(data, dict) else None
    plain, _ = variants.split(file, None)
    read = _read(plain)
    if kept:
        read["variants"] = kept
    return Base(word, file.name, file.folder, read, file.text)


def _read(file: TrialFile) -> dict[str, object]:
    """The data of a trial that has no mistakes of its own. Raises TrialInvalid with its file and lines."""
    from netarium.describe import yamltext
    from netarium.describe.loader import loads

    loads(file.text, file=file.name, folder=file.folder)
    data: dict[str, object] = yamltext.read(file.text).data
    return data


def matcher(folder: Path) -> Callable[[str], Sequence[str]]:
    """pattern -> the trials it means: files beside the campaign by name, or one word as it is."""

    def matching(pattern: str) -> Sequence[str]:
        if "*" not in pattern and "?" not in pattern:
            return [pattern]
        return sorted(str(path.relative_to(folder)) for path in folder.glob(pattern) if path.is_file())

    return matching
