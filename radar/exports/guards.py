"""The numbers of `seeds/settings.csv` that hold a destination."""

from __future__ import annotations

from pathlib import Path

from radar.core.warehouse import connect
from radar.exports.writer import Guards

_SETTINGS = """
    select setting, value from seeds.settings where setting in ('flood_pct', 'flood_least_accounts')
"""


def guards_of(warehouse: Path, *, allow_flood: bool = False) -> Guards:
    """The guards as the settings in the warehouse say."""
    with connect(warehouse) as con:
        found = dict(con.execute(_SETTINGS).fetchall())
    return Guards(int(found["flood_pct"]), int(found["flood_least_accounts"]), allow_flood)
