"""What `radar rules check` warns of where the rules are sound: rules that cannot tell accounts apart.

Belongs here: the seeds, and what a published copy knows of feeds, as the models of the dbt project read them.
Does not belong here: when such rules are warned of, which `int_rule_reach` and `rpt_rule_set_checks` decide.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from radar.measurement.models import compile_model
from radar.rules.seed_tables import described

SEEDS = ("feeds", "product_events", "rule_conditions", "rule_sets", "rules", "signals")
MODELS = ("int_event_measures", "int_vocabularies", "int_signal_states", "int_rule_reach")
"""Each after what it reads."""

MADE = ("int_feed_states", "int_vocabulary_states", "rpt_account_health")
"""Of the models that these read: made here, of the seeds."""

_DAY = "date '1970-01-01'"
"""Seeds speak for no day: any will do, the same everywhere."""
_FEED_STATES = f"""
    create table int_feed_states as
    select
        feed, {_DAY} as as_of_date, null as reason, null::timestamp as last_arrived_at,
        case when not is_used then 'not_used' when feed in $never_landed then 'never_landed' else 'known' end
            as state
    from feeds
"""
_VOCABULARIES = f"""
    create table int_vocabulary_states as
    select distinct vocabulary, feed, {_DAY} as as_of_date, true as is_known from int_vocabularies
"""
_ACCOUNTS = """
    create table rpt_account_health as
    select distinct segment from rules union select null
"""
_CANNOT_LEAVE = """
    select segment, rule_set, least_score::double
    from int_rule_reach where not can_leave_healthy order by segment
"""
_SHARES = """
    select as_of_date, rule_set, finding from marts.rpt_rule_set_checks
    where is_over_limit and check_name <> 'cannot_leave_healthy' order by check_name
"""


def warnings(seeds: Path, published_db: Path) -> list[str]:
    """Sentences about a whole folder of sound seeds, and about the last run of a published copy."""
    never_landed, shares = _of_the_copy(published_db)
    return [*_of_the_seeds(seeds, never_landed), *shares]


def _of_the_seeds(seeds: Path, never_landed: list[str]) -> list[str]:
    with duckdb.connect() as con:
        for name in SEEDS:
            con.execute(
                f"create table {name} as select * from read_csv($file, header = true, types = $types)",
                {"file": str(seeds / f"{name}.csv"), "types": described()[name]["types"]},
            )
        con.execute(_FEED_STATES, {"never_landed": never_landed})
        con.execute(_ACCOUNTS)
        relations = {name: name for name in (*SEEDS, *MADE, *MODELS)}
        for name in MODELS:
            query = compile_model(name, {}, relations, {"as_of_end": lambda: _DAY})
            con.execute(f"create table {name} as\n{query}")
            if name == "int_vocabularies":
                con.execute(_VOCABULARIES)
        return [
            f"no combination of the rules in use of {rule_set} can leave healthy"
            f"{f' in segment {segment}' if segment else ''}: all together leave a score of {least_score:g}"
            for segment, rule_set, least_score in con.execute(_CANNOT_LEAVE).fetchall()
        ]


def _of_the_copy(published_db: Path) -> tuple[list[str], list[str]]:
    """Feeds that never landed, and shares over their limits; nothing where there is no copy that has them."""
    if not published_db.exists():
        return [], []
    try:
        with duckdb.connect(str(published_db), read_only=True) as con:
            states = con.execute("select feed from marts.rpt_feed_states where state = 'never_landed'")
            never_landed = [feed for (feed,) in states.fetchall()]
            found = con.execute(_SHARES).fetchall()
    except duckdb.CatalogException:  # a copy of an earlier release
        return [], []
    return never_landed, [f"by the run of {day} with {name}: {finding}" for day, name, finding in found]
