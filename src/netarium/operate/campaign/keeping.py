"""Which run folders a campaign keeps: a folder takes tens of files, a row of its results some hundred bytes."""

from __future__ import annotations

KEEP_ALL, KEEP_FAILED, KEEP_NONE = "all", "failed", "none"
CHOICES = (KEEP_ALL, KEEP_FAILED, KEEP_NONE)
ALL_UP_TO = 200
"""Trials of a campaign up to which all folders are kept when nothing is said; beyond, none."""


def default(trials: int) -> str:
    """What is kept when nothing is said."""
    return KEEP_ALL if trials <= ALL_UP_TO else KEEP_NONE
