"""Where the project of this package is. Imports nothing, so that a reading process starts at once."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
PROJECT = _ROOT if (_ROOT / "dbt_project").is_dir() else _ROOT / "radar" / "project"
"""The folder of `seeds/`, `feeds/`, `dbt_project/` and the others: in the checkout or in the wheel."""
