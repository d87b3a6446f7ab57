"""Names of runs: two words a person can remember and say, such as `quick-otter`."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from netarium.errors import RecordError
from netarium.store.words import ADJECTIVES, NOUNS

VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
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
