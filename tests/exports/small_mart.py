"""A warehouse that holds the marts that files are made of, as the models name their columns."""

from datetime import date
from pathlib import Path

import duckdb

DAY = date(2026, 3, 13)

# CONTRACT, section 5: the columns of marts.rpt_account_health that users rely on.
COLUMNS = {
    "account_id": "VARCHAR",
    "account_name": "VARCHAR",
    "owner_id": "VARCHAR",
    "owner_name": "VARCHAR",
    "segment": "VARCHAR",
    "arr_usd": "DOUBLE",
    "as_of_date": "DATE",
    "score": "DOUBLE",
    "score_low": "DOUBLE",
    "score_high": "DOUBLE",
    "model_bucket": "VARCHAR",
    "bucket": "VARCHAR",
    "decision": "VARCHAR",
    "is_overridden": "BOOLEAN",
    "override_reason": "VARCHAR",
    "delta_7d": "DOUBLE",
    "delta_30d": "DOUBLE",
    "trend": "VARCHAR",
    "reason_1": "VARCHAR",
    "reason_2": "VARCHAR",
    "reason_3": "VARCHAR",
    "reason_4": "VARCHAR",
    "flags": "VARCHAR",
    "next_action": "VARCHAR",
    "days_to_renewal": "BIGINT",
    "needs_review": "BOOLEAN",
    "review_reason": "VARCHAR",
    "coverage_pct": "DOUBLE",
    "rule_set": "VARCHAR",
    "rule_version": "VARCHAR",
}

TASKS = {
    "action_id": "VARCHAR",
    "account_id": "VARCHAR",
    "owner_id": "VARCHAR",
    "next_action": "VARCHAR",
    "subject": "VARCHAR",
    "details": "VARCHAR",
    "bucket": "VARCHAR",
    "evidence": "VARCHAR",
    "rule_set": "VARCHAR",
    "rule_version": "VARCHAR",
    "due_at": "TIMESTAMP",
    "as_of_date": "DATE",
}

CONTACTS = {
    "contact_id": "VARCHAR",
    "account_id": "VARCHAR",
    "email": "VARCHAR",
    "bucket": "VARCHAR",
    "decision": "VARCHAR",
    "flags": "VARCHAR",
    "as_of_date": "DATE",
}

NOTES = {
    "note_id": "VARCHAR",
    "account_id": "VARCHAR",
    "note": "VARCHAR",
    "written_by": "VARCHAR",
    "written_at": "TIMESTAMP",
}

MARTS = {
    "marts.rpt_account_health": COLUMNS,
    "outbound.crm_tasks": TASKS,
    "outbound.crm_notes": NOTES,
    "outbound.crm_contacts": CONTACTS,
}

# What a file can get wrong: quotes, line breaks, other scripts, signs, tiny numbers, nulls, formulas.
STORIES = """
insert into marts.rpt_account_health by name
select * from (
    select 'a-001' as account_id, 'Müller & Söhne, "Berlin"' as account_name, 'o1' as owner_id,
        'Zoë' as owner_name, 'enterprise' as segment, 120000.5 as arr_usd, 80.0::double as score,
        80.0::double as score_low, 80.0::double as score_high, 'healthy' as model_bucket, 'healthy' as bucket,
        'decided' as decision, false as is_overridden, -12.5::double as delta_7d,
        0.0000001::double as delta_30d,
        'falling' as trend, 'No login for 20 days (14): -20' as reason_1, 'upsell' as flags,
        'Call the sponsor' as next_action, -3 as days_to_renewal, false as needs_review,
        100.0::double as coverage_pct
    union all by name
    select 'a-002' as account_id, '=HYPERLINK("http://example.com")' as account_name, 55.5::double as score,
        'watch' as bucket, 'decided' as decision, 'o1' as owner_id, 'Zoë' as owner_name
    union all by name
    select 'a-003' as account_id, '日本電気' as account_name, 49.999::double as score,
        20.0::double as score_low, 90.0::double as score_high, 'at_risk' as bucket, 'undecided' as decision,
        'A person decides' as next_action, true as needs_review, 'two\nlines, "quoted"' as reason_1,
        'churn_risk, payment_risk' as flags
    union all by name
    select 'a-004' as account_id, 'Gone Mad Ltd' as account_name, 'nan'::double as score, 'watch' as bucket,
        'decided' as decision, '@everyone' as override_reason, true as is_overridden
    union all by name
    select 'a-005' as account_id, 'Plain Ltd' as account_name, 100.0::double as score, 'healthy' as bucket,
        'decided' as decision, '' as trend
);
update marts.rpt_account_health
set as_of_date = '2026-03-13', rule_set = 'playbook_v1', rule_version = 'f00d';

insert into outbound.crm_notes by name
select *, timestamp '2026-03-12 09:30:00' as written_at
from (
    select 'override-v1' as note_id, 'a-001' as account_id, 'olga' as written_by,
        'Override from watch to at risk. Reason: "new" sponsor. By olga on 12 Mar 2026.' as note
    union all by name
    select 'note-w1' as note_id, 'a-003' as account_id, '=Zoë' as written_by,
        '=1+1 (Zoë, 12 Mar 2026)' as note
);

insert into outbound.crm_tasks by name
select
    *,
    next_action as subject,
    concat_ws('. Why: ', next_action, evidence) as details,
    'playbook_v1' as rule_set,
    'f00d' as rule_version,
    timestamp '2026-03-15 00:00:00' as due_at,
    date '2026-03-13' as as_of_date
from (
    select 'act-1' as action_id, 'a-001' as account_id, 'o1' as owner_id,
        'Call the sponsor' as next_action, 'at_risk' as bucket,
        'No login for 20 days (14): -20; "Zoë" wrote; ok' as evidence
    union all by name
    select 'act-2' as action_id, 'a-003' as account_id, null as owner_id,
        'Nobody owns it' as next_action, 'watch' as bucket, 'One, two' as evidence
    union all by name
    select 'act-3' as action_id, 'a-003' as account_id, 'o1' as owner_id,
        '=cmd' as next_action, 'watch' as bucket, 'x' as evidence
);

insert into outbound.crm_contacts by name
select *, date '2026-03-13' as as_of_date
from (
    select 'c-1' as contact_id, 'a-001' as account_id, 'zoë@example.com' as email, 'healthy' as bucket,
        'decided' as decision, 'upsell' as flags
    union all by name
    select 'c-2' as contact_id, 'a-003' as account_id, '=x@example.com' as email, 'at_risk' as bucket,
        'undecided' as decision
    union all by name
    select 'c-3' as contact_id, 'a-003' as account_id, 'two@example.com' as email, 'gone' as bucket,
        'undecided' as decision
);
"""


def make(path: Path) -> None:
    """Empty marts."""
    with duckdb.connect(str(path)) as con:
        con.execute("create schema marts; create schema outbound")
        for mart, kinds in MARTS.items():
            con.execute(
                f"create table {mart} ({', '.join(f'{name} {kind}' for name, kind in kinds.items())})"
            )


def change(path: Path, sql: str, values: list[str] | None = None) -> None:
    """What a run does to the mart."""
    with duckdb.connect(str(path)) as con:
        con.execute(sql, values)


def fill(path: Path, accounts: int, *, day: date = DAY, run: int = 1) -> None:
    """`accounts` rows; the score of every third one depends on `run`."""
    change(
        path,
        f"""
        delete from marts.rpt_account_health;
        insert into marts.rpt_account_health by name
        select
            printf('a%06d', range) as account_id, 'Company ' || range as account_name, 'o1' as owner_id,
            'Owner' as owner_name, 'smb' as segment, range * 1.5 as arr_usd, date '{day}' as as_of_date,
            case when range % 3 = 0 then {run} % 101 else 80 end as score, 'watch' as bucket,
            'decided' as decision, false as is_overridden, -1.5 as delta_7d, 'steady' as trend,
            'No login for 20 days, threshold 14: 20 points off' as reason_1, 'upsell' as flags,
            'Call the owner' as next_action, 40 as days_to_renewal, false as needs_review
        from range({accounts})
        """,
    )
