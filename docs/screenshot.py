"""`python -m docs.screenshot [PUBLISHED]`: the panel's My day as `docs/panel.png`, for the README.

`PUBLISHED` is the folder of a published copy, by default that of `make demo`. It is read and not changed: the
panel that is started here has a store of its own. Runs in the root of the checkout, after `make test`.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
from pathlib import Path

import duckdb

from radar.panel import users
from radar.panel.store import Store
from tests.panel.browser import chromium, sign_in
from tests.panel.server import running

PICTURE = Path(__file__).with_name("panel.png")
OWNER = """
    SELECT owner_id FROM marts.rpt_review_queue
    WHERE owner_id IS NOT NULL GROUP BY owner_id ORDER BY count(*) DESC, owner_id LIMIT 1
"""


def take(published: Path, picture: Path) -> None:
    """Write the picture of the first accounts of one owner's day."""
    with duckdb.connect(str(published / "radar.duckdb"), read_only=True) as con:
        ((owner,),) = con.execute(OWNER).fetchall()
    password = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "panel.sqlite"
        users.add(Store(store), "ada", "rep", [str(owner)], password)
        with (
            running(published, store, RADAR_PANEL_STALE_DAYS="100000") as server,
            chromium() as browser,
            browser.new_context(viewport={"width": 1100, "height": 820}, color_scheme="light") as context,
        ):
            sign_in(context, server.address, "ada", password).screenshot(path=picture)


if __name__ == "__main__":
    take(Path(sys.argv[1] if len(sys.argv) > 1 else "var/demo/published").absolute(), PICTURE)
    print(f"Wrote {PICTURE}.")
