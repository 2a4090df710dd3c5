-- What becomes an entry of the audit chain, one query a source. Each yields
--     kind, subject_id: what the entry is about
--     state: what its subject has come to; an entry is made where this is not what its last entry says
--     account_id, run_id, as_of_date, rule_set, rule_version, actor
--     evidence: a struct that is written as JSON, its fields in the order of the alphabet
-- What people wrote may hold what identifies a person, and an entry stays for good: `masked` is radar.masking's.
-- A run_id or as_of_date that is null is that of the run under way; `champion_rule_set` is the one that scores now.

-- name: champion_rule_set
create or replace temp view champion_rule_set as
select
    rule_set,
    rule_version
from scoring.dim_rule_sets
where status = 'champion';

-- name: new_entries
with

candidates as (
    {source}
),

last_entries as (

    select
        kind,
        subject_id,
        arg_max(state, sequence) as state
    from audit.entries
    group by kind, subject_id

)

select
    $now::timestamp as recorded_at,
    coalesce(candidates.run_id, $run_id) as run_id,
    candidates.kind,
    candidates.subject_id,
    candidates.account_id,
    coalesce(candidates.as_of_date, $as_of) as as_of_date,
    candidates.rule_set,
    candidates.rule_version,
    candidates.state,
    to_json(candidates.evidence)::varchar as evidence,
    candidates.actor
from candidates
left join last_entries
    on
        candidates.kind = last_entries.kind
        and candidates.subject_id = last_entries.subject_id
where last_entries.state is distinct from candidates.state
order by as_of_date, candidates.kind, candidates.subject_id;

-- name: overrides
select
    'override' as kind,
    override_id as subject_id,
    account_id,
    null::varchar as run_id,
    null::date as as_of_date,
    (select rule_set from champion_rule_set) as rule_set,
    (select rule_version from champion_rule_set) as rule_version,
    overridden_by as actor,
    {
        'bucket': bucket,
        'expires_at': strftime(expires_at, '%Y-%m-%dT%H:%M:%SZ'),
        'overridden_at': strftime(overridden_at, '%Y-%m-%dT%H:%M:%SZ'),
        'reason': masked(reason)
    } as evidence,
    md5(to_json([account_id, overridden_by, reason, to_json(evidence)::varchar])::varchar) as state
from staging.stg_crm__overrides;

-- name: reviews
-- What a person decided of an action is not an action: it has a kind of its own.
with

reviews as (

    select
        *,
        -- an action's id only where there is one, so that reviews of before the column have not changed
        case
            when action_id is null then to_json({
                'bucket': bucket,
                'reason': masked(reason),
                'reviewed_at': strftime(reviewed_at, '%Y-%m-%dT%H:%M:%SZ'),
                'verdict': verdict
            })
            else to_json({
                'action_id': action_id,
                'bucket': bucket,
                'reason': masked(reason),
                'reviewed_at': strftime(reviewed_at, '%Y-%m-%dT%H:%M:%SZ'),
                'verdict': verdict
            })
        end as answer
    from staging.stg_crm__reviews

),

-- the same of what came later: until when, who is asked for cover, what was written in place of a draft, and that it
-- was taken back
described as (

    select
        *,
        case
            when coalesce(until_date::varchar, owner_id, edited_text, deleted_date::varchar) is null then answer
            else json_merge_patch(answer, to_json({
                'deleted_on': deleted_date,
                'draft': masked(draft_text),
                'owner_id': owner_id,
                'sent': case
                    when edited_text is not null then masked(concat_ws(chr(10) || chr(10), edited_subject, edited_text))
                end,
                'until': until_date
            }))
        end as evidence
    from reviews

)

select
    case when kind = 'action' then 'action_decision' else kind end as kind,
    review_id as subject_id,
    account_id,
    null::varchar as run_id,
    as_of_date,
    (select rule_set from champion_rule_set) as rule_set,
    (select rule_version from champion_rule_set) as rule_version,
    reviewed_by as actor,
    evidence,
    md5(to_json([account_id, reviewed_by, reason, to_json(evidence)::varchar])::varchar) as state
from described;

-- name: account_links
-- Which account a person chose for an id of another system, where it might have been several.
select
    'account_link' as kind,
    source || ' ' || masked(source_account_id) as subject_id,
    account_id,
    null::varchar as run_id,
    null::date as as_of_date,
    (select rule_set from champion_rule_set) as rule_set,
    (select rule_version from champion_rule_set) as rule_version,
    decided_by as actor,
    {
        'source': source,
        'source_account_id': masked(source_account_id)
    } as evidence,
    md5(to_json([account_id, decided_by])::varchar) as state
from raw.crm_identities
where decided_by is not null
qualify row_number() over (
    partition by source, source_account_id
    order by _batch_id desc, _source_file desc, _row_number desc
) = 1;

-- name: actions
-- The text of a play about an account grows with the days; only a change of its status is an event. What was suppressed from
-- its first day on has not happened.
select
    'action' as kind,
    action_id as subject_id,
    account_id,
    null::varchar as run_id,
    as_of_date,
    rule_set,
    rule_version,
    'radar' as actor,
    {
        'channel': channel,
        'evidence': masked(evidence),
        'owner_id': owner_id,
        'play': play,
        'status': status,
        'suppressed_by': suppressed_by
    } as evidence,
    status as state
from marts.fct_actions
where released_on is not null;

-- name: exports
-- Which accounts went out is in the files; the manifest, whose hash this is, holds theirs.
select
    'export' as kind,
    folder as subject_id,
    null::varchar as account_id,
    run_id,
    as_of_date,
    rule_set,
    rule_version,
    'radar' as actor,
    {
        'bytes': bytes,
        'exported_at': strftime(exported_at, '%Y-%m-%dT%H:%M:%SZ'),
        'profile': profile,
        'rows': rows,
        'sha256': sha256
    } as evidence,
    sha256 as state
from audit.exports;

-- name: sync_decisions
-- What a person decided about a set of files, or one row of it: each time something of its own, so it has a subject of
-- its own. The rules are those of the rows that had gone out.
select
    case when decision in ('given_up', 'taken_up') then 'sync_give_up' else 'sync_acknowledgement' end as kind,
    profile || '/' || coalesce(masked(row_key), run_id) || '#' || sequence as subject_id,
    account_id,
    run_id,
    as_of_date,
    (
        select max(exports.rule_set) from audit.exports
        where exports.profile = decisions.profile and exports.run_id = decisions.run_id
    ) as rule_set,
    (
        select max(exports.rule_version) from audit.exports
        where exports.profile = decisions.profile and exports.run_id = decisions.run_id
    ) as rule_version,
    decided_by as actor,
    {
        'acknowledged': acknowledged,
        'decided_at': strftime(decided_at, '%Y-%m-%dT%H:%M:%SZ'),
        'failed': failed,
        'profile': profile,
        'reason': masked(reason),
        'results': results::json,
        'row_key': masked(row_key)
    } as evidence,
    decision as state
from audit.sync_decisions as decisions;

-- name: deliveries
-- What was delivered to a destination or a person, and what is in doubt; accounts are identified by their columns there.
select
    'delivery' as kind,
    delivery_key as subject_id,
    account_id,
    run_id,
    as_of_date,
    (select rule_set from champion_rule_set) as rule_set,
    (select rule_version from champion_rule_set) as rule_version,
    'radar' as actor,
    {
        'action_id': action_id,
        'carrier': carrier,
        'delivered_at': strftime(recorded_at, '%Y-%m-%dT%H:%M:%SZ'),
        'remote_id': remote_id,
        'status': status
    } as evidence,
    -- what a person resolved and went out again has another outcome
    status || coalesce(' again ' || nullif(times_resolved, 0), '') as state
from (
    select
        *,
        count(*) filter (where carrier = 'person') over (partition by delivery_key order by sequence) as times_resolved
    from audit.deliveries
    where kind <> 'account'
)
where carrier <> 'person' and status in ('delivered', 'written', 'in_doubt')
qualify row_number() over (partition by delivery_key order by sequence desc) = 1;

-- name: delivery_decisions
-- What a person found out about a delivery in doubt: each time something of its own.
select
    'delivery_decision' as kind,
    delivery_key || '#' || sequence as subject_id,
    account_id,
    run_id,
    as_of_date,
    (select rule_set from champion_rule_set) as rule_set,
    (select rule_version from champion_rule_set) as rule_version,
    decided_by as actor,
    {
        'action_id': action_id,
        'carrier': carrier,
        'decided_at': strftime(decided_at, '%Y-%m-%dT%H:%M:%SZ'),
        'message_key': message_key,
        'reason': masked(reason)
    } as evidence,
    decision as state
from audit.delivery_decisions;

-- name: restore_decisions
-- What a person takes as delivered of a run that this warehouse does not know.
select
    'restore_decision' as kind,
    run_id || '#' || sequence as subject_id,
    null::varchar as account_id,
    run_id,
    as_of_date,
    (select rule_set from champion_rule_set) as rule_set,
    (select rule_version from champion_rule_set) as rule_version,
    decided_by as actor,
    {
        'decided_at': strftime(decided_at, '%Y-%m-%dT%H:%M:%SZ'),
        'delivered': delivered,
        'delivered_until': strftime(delivered_until, '%Y-%m-%d'),
        'reason': masked(reason)
    } as evidence,
    'delivered_until ' || strftime(delivered_until, '%Y-%m-%d') as state
from audit.restore_decisions;

-- name: rule_sets
select
    rule_set,
    status,
    rule_version
from scoring.dim_rule_sets
order by rule_set;

-- name: last_rules
-- The last entry of each rule set or reference table: what it had come to, and its rows.
select
    kind,
    subject_id,
    arg_max(state, sequence) as state,
    arg_max(evidence, sequence) as evidence
from audit.entries
where kind in ('rule_change', 'reference_change')
group by kind, subject_id;
