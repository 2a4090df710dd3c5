"""Resolves the ids by which feeds name accounts: `raw.account_links`, and of it `raw.account_aliases`.

Which rule goes before which is in `links.sql`. Here is what it is given: the sources, the domains of free
mail, the addresses that are left out, and the addresses and domains that feeds have as an account's id.
"""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb

from radar.core.settings import Settings
from radar.landing.adapters import FREE_MAIL
from radar.landing.feeds import load_feeds
from radar.landing.load import transaction

EXCLUDED = "excluded.csv"
USER_COLUMNS = ("user_id", "contact_id")  # of a feed, who did it

# Of an e-mail address its MD5 and its domain are enough to find the contact, or the company.
LINK_MACROS = """
    create or replace temp macro link_domain(value) as
        nullif(regexp_extract(
            lower(trim(value)),
            '^(?:[a-z]+://)?(?:[^/@\\s]*@)?(?:www[.])?([^/@\\s:?#]+[.][a-z0-9-]{2,})(?:[:/?#].*)?$',
            1
        ), '');
    create or replace temp macro link_id(value) as
        case
            when not contains(value, '@') or regexp_full_match(lower(value), '[0-9a-f]{32}@.+') then value
            else coalesce(md5(lower(trim(value))) || '@' || link_domain(value), value)
        end;
"""

ALIASES = """
    create or replace table raw.account_aliases as
    with links as (
        select source, account_id, resolved_account_id
        from raw.account_links
        where is_linked and source in (select unnest($sources))
    )
    select * from links
    union
    select links.source, named.account_id, links.resolved_account_id
    from control.ids_by_domain as named
    inner join links on links.source = named.source and links.account_id = link_id(named.account_id)
"""

NOTE_IDS = """
    insert into control.ids_by_domain
    select distinct $source as source, account_id
    from (
        select account_id from {raw}
        where
            _batch_id > (select coalesce(max(batch_id), 0) from audit.checks where feed = $feed)
            and (contains(account_id, '.') or contains(account_id, '@'))
        union all
        select account_id from {waiting}
        where contains(account_id, '.') or contains(account_id, '@')
    )
    where
        account_id not in (select account_id from raw.crm_accounts)
        and account_id not in (select account_id from control.ids_by_domain where source = $source)
"""

COUNT_WAITING = """
    insert into quarantine.unresolved_ids
    select
        '{feed}', '{source}', link_id(account_id), count(*), count(distinct {user}), min(_loaded_at)
    from {waiting}
    group by link_id(account_id)
"""


def note_ids(con: duckdb.DuckDBPyConnection) -> None:
    """Remember which addresses and domains feeds have in place of an account's id, also of rows that wait."""
    for feed in load_feeds().values():
        if feed.waiting_table:
            query = NOTE_IDS.format(raw=feed.raw_table, waiting=feed.waiting_table)
            con.execute(query, {"source": feed.source, "feed": feed.name})


def resolve_aliases(con: duckdb.DuckDBPyConnection, seeds: Path | None = None) -> None:
    """Write `raw.account_links` and `raw.account_aliases` again.

    `seeds` has the domains of free mail, and the addresses and domains whose contacts are left out.
    """
    sources = sorted({feed.source for feed in load_feeds().values()})
    con.execute(LINK_MACROS)
    query = Path(__file__).with_name("links.sql").read_text(encoding="utf-8")
    values = {
        "sources": sources,
        "free_mail": [row["domain"].strip().lower() for row in _seed(seeds, FREE_MAIL) if row["domain"]],
        "excluded_emails": _excluded(seeds, "email"),
        "excluded_domains": _excluded(seeds, "email_domain"),
    }
    con.execute(query, values)
    con.execute(ALIASES, {"sources": sources})


def count_waiting(con: duckdb.DuckDBPyConnection) -> None:
    """Write `quarantine.unresolved_ids` again: for whom rows wait now, feed by feed."""
    con.execute(LINK_MACROS)
    with transaction(con):
        con.execute("delete from quarantine.unresolved_ids")
        for feed in load_feeds().values():
            if feed.waiting_table:
                con.execute(
                    COUNT_WAITING.format(
                        feed=feed.name,
                        source=feed.source,
                        waiting=feed.waiting_table,
                        user=next((one for one in USER_COLUMNS if one in feed.column_names), "null"),
                    )
                )


def _excluded(seeds: Path | None, kind: str) -> list[str]:
    """The values of a kind in `excluded.csv`, in small letters."""
    return [row["value"].strip().lower() for row in _seed(seeds, EXCLUDED) if row["kind"] == kind]


def _seed(seeds: Path | None, name: str) -> list[dict[str, str]]:
    """The rows of a file of reference data, as it ships where the folder has none."""
    file = seeds / name if seeds else None
    if file is None or not file.is_file():
        file = Settings().shipped_seeds / name
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))
