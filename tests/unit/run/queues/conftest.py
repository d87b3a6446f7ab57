"""Lets the tests of queues import the bench and the naive versions beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
