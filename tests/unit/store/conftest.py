"""Lets the tests of the run folder use the hand-made ones of the measure stage."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "measure"))
