"""Lets the tests of mechanisms drive the disciplines by the bench of the queues' tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "run" / "queues"))
