"""Campaigns made by hand, written once for all tests of what is shown of them."""

from __future__ import annotations

from pathlib import Path

import made_campaigns
import pytest
import synthetic

from netarium.show.campaign.trials import Trials
from netarium.store.campaigns import read_campaign


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("campaigns")
    crowd = synthetic.crowd(root / "one-run", services=6, nodes=8, flows_each=400)
    made_campaigns.shootout(root / "shootout", runs=crowd)
    made_campaigns.shootout(root / "failing", failed=5, missing=3)
    made_campaigns.shootout(root / "both", modes=("simulate", "emulate"), seeds=6, paths=("short",))
    made_campaigns.shootout(root / "once", seeds=1)
    made_campaigns.shootout(root / "noisy", seeds=8, noise_bps=2e8)
    made_campaigns.one_variant(root / "single", [1e6, 1.1e6, 1.2e6])
    return root


@pytest.fixture(scope="session")
def shootout(folders: Path) -> Trials:
    return Trials(read_campaign(folders / "shootout"))


@pytest.fixture(scope="session")
def failing(folders: Path) -> Trials:
    """Five trials crashed, three have not ended."""
    return Trials(read_campaign(folders / "failing"))


@pytest.fixture(scope="session")
def both(folders: Path) -> Trials:
    """Simulated and emulated."""
    return Trials(read_campaign(folders / "both"))


@pytest.fixture(scope="session")
def once(folders: Path) -> Trials:
    """One seed."""
    return Trials(read_campaign(folders / "once"))


@pytest.fixture(scope="session")
def noisy(folders: Path) -> Trials:
    """The seeds differ far more than the variants."""
    return Trials(read_campaign(folders / "noisy"))


@pytest.fixture(scope="session")
def single(folders: Path) -> Trials:
    """One variant, three seeds."""
    return Trials(read_campaign(folders / "single"))
