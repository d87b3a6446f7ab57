"""Flow-size distributions: built-in ones of the literature, and files of lines `size percent`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from netarium.errors import Problem, TrialInvalid

KB, MB = 1_000, 1_000_000

BUILT_IN: dict[str, tuple[tuple[float, float], ...]] = {
    # Alizadeh et al., "Data center TCP (DCTCP)", SIGCOMM 2010, figure 4, as read by the field's simulators
    "websearch": (
        (0, 0), (10 * KB, 15), (20 * KB, 20), (30 * KB, 30), (50 * KB, 40), (80 * KB, 53), (200 * KB, 60),
        (1 * MB, 70), (2 * MB, 80), (5 * MB, 90), (10 * MB, 97), (30 * MB, 100),
    ),
    # Greenberg et al., "VL2", SIGCOMM 2009, as in pFabric (SIGCOMM 2013), packets of 1,460 bytes
    "datamining": (
        (0, 0), (1460, 50), (2920, 60), (4380, 70), (10220, 80), (389820, 90), (3076220, 95),
        (97333820, 99), (973333820, 100),
    ),
    # Roy et al., "Inside the social network's (datacenter) network", SIGCOMM 2015, Hadoop cluster, as read by HPCC
    "hadoop": (
        (0, 0), (180, 10), (216, 20), (560, 30), (900, 40), (1100, 50), (1870, 60), (3160, 70), (10 * KB, 80),
        (400 * KB, 90), (3160 * KB, 95), (10 * MB, 98), (30 * MB, 100),
    ),
}  # fmt: skip
"""Name -> points (bytes, percent of flows not larger)."""


def table(points: tuple[tuple[float, float], ...]) -> np.ndarray:
    """float64[n, 2]: size in bytes and cumulative probability 0..1."""
    return np.array([(size, percent / 100.0) for size, percent in points], np.float64)


def built_in(name: str) -> np.ndarray:
    """A distribution of the literature; float64[n, 2]."""
    return table(BUILT_IN[name])


def fixed(size_bytes: int) -> np.ndarray:
    """Always the same size; float64[2, 2]."""
    return np.array([(size_bytes, 0.0), (size_bytes, 1.0)], np.float64)


def mean_bytes(cdf: np.ndarray) -> float:
    """Mean size when drawn by linear interpolation between the points."""
    sizes, probability = cdf[:, 0], cdf[:, 1]
    return float(np.sum(np.diff(probability) * (sizes[1:] + sizes[:-1]) / 2.0))


def read(path: Path, where: str) -> np.ndarray:
    """Read a file of lines `size percent` (or `size fraction`); float64[n, 2].

    Raises TrialInvalid with every faulty line: not two numbers, a size or share that falls, a last share below all.
    """
    rows: list[tuple[float, float]] = []
    problems: list[Problem] = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.split("#", 1)[0].replace(",", " ").split()
        if not text:
            continue
        try:
            size, share = (float(word) for word in text)
        except ValueError:
            problems.append(_problem(where, path, number, line, "two numbers, size in bytes and percent"))
            continue
        if size < 0 or (rows and (size < rows[-1][0] or share < rows[-1][1])):
            problems.append(_problem(where, path, number, line, "sizes and shares that do not fall"))
        rows.append((size, share))
    last = rows[-1][1] if rows else 0.0
    if not problems and (len(rows) < 2 or last not in (1.0, 100.0)):
        problems.append(Problem(where, f"{path.name}, which ends at {last:g}", "a last line at 100 percent"))
    if problems:
        raise TrialInvalid(problems)
    cdf = np.array(rows, np.float64)
    cdf[:, 1] /= last
    if cdf[0, 1] > 0:
        cdf = np.vstack([[cdf[0, 0], 0.0], cdf])
    return cdf


def _problem(where: str, path: Path, number: int, line: str, expected: str) -> Problem:
    return Problem(where, f"{path.name} line {number}: {line.strip()!r}", expected)
