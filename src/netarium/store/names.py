"""Names of runs: two words a person can remember and say, such as `quick-otter`."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from netarium.errors import RecordError
from netarium.store.words import ADJECTIVES, NOUNS

VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
LONGEST_FILE_NAME = 80  # characters; a file system allows 255 bytes
TRIES = 3  # as many plain pairs are tried before a suffix is added

Choose = Callable[[Sequence[str]], str]


def memorable(taken: Callable[[str], bool], choose: Choose | None = None) -> str:
    """An adjective and a noun for which `taken` is false; with a number behind it when pairs keep being
    taken."""
    choose = choose or random.SystemRandom().choice
    for _ in range(TRIES):
        name = f"{choose(ADJECTIVES)}-{choose(NOUNS)}"
        if not taken(name):
            return name
    number = 2
    while taken(f"{name}-{number}"):
        number += 1
    return f"{name}-{number}"


def check(name: str) -> str:
    """The name, if it can be that of a folder; raises RecordError otherwise."""
    if VALID.fullmatch(name):
        return name
    raise RecordError(
        f"run name: found {name!r}, expected letters, digits, '-', '_' and '.', "
        "at most 100, starting with a letter or digit"
    )


def file_names(titles: Sequence[str]) -> list[str]:
    """A name for a file of each title, such as "a-to-b" of the port "a->b": safe in any shell, no two alike.

    Whatever is not a letter, digit, '-', '_' or '.' becomes '_'; a name that comes again gets a number.
    """
    names: list[str] = []
    for title in titles:
        plain = re.sub(r"[^\w.-]", "_", title.replace("->", "-to-")).lstrip(".")[:LONGEST_FILE_NAME] or "_"
        name, number = plain, 1
        while name.casefold() in map(str.casefold, names):
            number += 1
            name = f"{plain}_{number}"
        names.append(name)
    return names
