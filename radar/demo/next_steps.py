"""`python -m radar.demo.next_steps FOLDER`: what can be done with the demo company in the folder.

Belongs here: the closing lines of `make demo`. Does not belong here: what a run did (`radar.cli.summary`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import duckdb

_ACCOUNT = """
    SELECT account_id FROM marts.rpt_account_health
    ORDER BY has_live_subscription DESC, score, account_id LIMIT 1
"""
_QUERY = "select bucket, count(*) as accounts from marts.rpt_account_health group by bucket"
_TEXT = """
The demo is ready. Its extracts have faults on purpose, as real extracts do: rows that are refused or wait
for their account, columns set aside, words that are not recognised, messages that are blocked, and
touchpoints that stopped coming, so that some accounts cannot be decided. The summary above names them, and
none of them needs repair.

Next, any of these:

  # the review panel on http://127.0.0.1:8080; it prints users and a password
  make panel

  # Dagster on http://127.0.0.1:3000
  make dev

  # why the account with the lowest score has it
  {programs}/radar explain {account} --published {published}

  # SQL on the published copy
  {programs}/python -c "import duckdb; print(duckdb.connect('{copy}', read_only=True).sql('{query}'))"
"""


def text(folder: Path, programs: Path) -> str:
    """The lines for the demo in `folder`; `programs` is where `radar` and `python` are."""
    published = folder / "published"
    copy = published / "radar.duckdb"
    with duckdb.connect(str(copy), read_only=True) as con:
        ((account,),) = con.execute(_ACCOUNT).fetchall()
    return _TEXT.format(programs=programs, account=account, published=published, copy=copy, query=_QUERY)


if __name__ == "__main__":
    print(text(Path(sys.argv[1]), Path(os.path.relpath(Path(sys.executable).parent))))
