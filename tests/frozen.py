"""The reference data that tests of the engine run on.

`tests/seeds/` is a copy of the shipped `seeds/` that stays as it is when a company edits its own: what the
engine does with given rules is tested on it, and the installation's own rules by `make check-company`.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SEEDS = ROOT / "tests" / "seeds"
OWN_SEEDS = ROOT / "seeds"
"""The installation's own, for the few tests that are about them."""

os.environ["RADAR_SHIPPED_SEEDS"] = str(SEEDS)
