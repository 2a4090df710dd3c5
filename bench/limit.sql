-- The signals and the champion's scores of one day, by hand: no landing, no checks, no history, no evidence.
-- It is what the benchmark holds `radar run` against, for its speed and for its numbers, so it is written from
-- the definitions alone and shares no text with the models.
--
-- Session variables: extracts and seeds (folders), as_of (DATE). Results: limit_signals (one row per scored
-- account, one column per signal), limit_scores (account_id, score, score_low, score_high, bucket, and
-- final_bucket, which knows the overrides). All feeds are taken as known, and the rows as clean.

create macro as_of() as getvariable('as_of');
create macro seen_until() as cast(getvariable('as_of') + 1 as timestamp);
create macro is_seen(moment) as coalesce(moment < seen_until(), false);
create macro age(moment) as getvariable('as_of') - cast(moment as date);
-- A window of n days is the as-of date and the n - 1 days before it.
create macro in_window(moment, n) as coalesce(age(moment) between 0 and n - 1, false);
create macro change_pct(new, old) as coalesce(100.0 * (new - old) / nullif(old, 0), 0.0);

set variable competitor_pattern = (
    select '(?i)(^|[^\p{L}\p{N}_])(' || string_agg(regexp_escape(name), '|') || ')($|[^\p{L}\p{N}_])'
    from read_csv(getvariable('seeds') || '/competitors.csv', header = true, all_varchar = true)
);
create macro names_competitor(body) as
    coalesce(regexp_matches(body, getvariable('competitor_pattern')), false);

-- Reference data ----------------------------------------------------------------------------------------

create temp table plans as
select plan_id, cast(is_paid as boolean) as is_paid, cast(rank as integer) as rank
from read_csv(getvariable('seeds') || '/plans.csv', header = true, all_varchar = true);

create temp table product_events as
select
    event_name,
    cast(is_login as boolean) as is_login,
    cast(is_key_feature as boolean) as is_key_feature,
    cast(is_premium as boolean) as is_premium,
    cast(is_advanced as boolean) as is_advanced,
    milestone
from read_csv(getvariable('seeds') || '/product_events.csv', header = true, all_varchar = true);

-- Accounts and subscriptions as of the day --------------------------------------------------------------

-- `line` is the order of landing: files by name, then rows.
create temp table accounts as
with landed as (
    select *, row_number() over () as line
    from read_csv(
        getvariable('extracts') || '/crm/accounts/*', header = true, auto_detect = false,
        columns = {
            'account_id': 'varchar', 'name': 'varchar', 'domain': 'varchar', 'owner_id': 'varchar',
            'segment': 'varchar', 'industry': 'varchar', 'country': 'varchar', 'parent_account_id': 'varchar',
            'arr_usd': 'decimal(18, 6)', 'lifecycle_stage': 'varchar', 'plan_id': 'varchar',
            'created_at': 'timestamp', 'updated_at': 'timestamp', 'is_deleted': 'boolean'
        }
    )
),
versions as (
    select * from landed
    qualify row_number() over (partition by account_id, updated_at order by line desc) = 1
)
select account_id, created_at
from versions
qualify row_number() over (
    partition by account_id
    order by is_seen(updated_at) desc, case when is_seen(updated_at) then updated_at end desc, updated_at
) = 1
and not coalesce(is_deleted, false) and is_seen(created_at);

create temp table subscription_versions as
with landed as (
    select *, row_number() over () as line
    from read_csv(
        getvariable('extracts') || '/billing/subscriptions/*', header = true, auto_detect = false,
        columns = {
            'subscription_id': 'varchar', 'account_id': 'varchar', 'plan_id': 'varchar', 'status': 'varchar',
            'seats': 'bigint', 'mrr_usd': 'decimal(18, 6)', 'started_at': 'timestamp',
            'current_period_end': 'timestamp', 'cancel_at_period_end': 'boolean', 'canceled_at': 'timestamp',
            'card_expires_on': 'date', 'updated_at': 'timestamp'
        }
    )
),
newest as (
    select * from landed
    qualify row_number() over (partition by subscription_id, updated_at order by line desc) = 1
)
select
    *,
    lag(updated_at) over versions as previous_at,
    lag(plan_id) over versions as previous_plan_id,
    lag(mrr_usd) over versions as previous_mrr_usd
from newest
window versions as (partition by subscription_id order by updated_at);

-- The state at the end of a day: the last version until then, else the first one; one that was already canceled
-- when it was first seen counts as active until canceled_at.
create macro subscriptions_at(day) as table
select
    subscription_id, account_id, plan_id, seats, mrr_usd, current_period_end, card_expires_on,
    case
        when updated_at >= cast(day + 1 as timestamp) and status = 'canceled'
            then if(canceled_at < cast(day + 1 as timestamp), 'canceled', 'active')
        else status
    end as state,
    state in ('trialing', 'active', 'past_due') as is_live
from subscription_versions
where started_at < cast(day + 1 as timestamp)
    and (updated_at < cast(day + 1 as timestamp) or previous_at is null)
qualify row_number() over (partition by subscription_id order by updated_at desc) = 1;

create temp table subscriptions as from subscriptions_at(as_of());

create temp table scored_accounts as
select account_id, created_at
from accounts
where account_id not in (select account_id from subscriptions group by account_id having bool_and(state = 'canceled'));

-- Product events: usage and adoption --------------------------------------------------------------------

create temp table events as
select account_id, user_id, event_name, cast(occurred_at as date) as day
from read_parquet(getvariable('extracts') || '/product/events/*.parquet', filename = true, file_row_number = true)
qualify row_number() over (partition by event_id order by filename desc, file_row_number desc) = 1;

create temp table event_signals as
select
    account_id,
    max(day) filter (where is_login) as last_login,
    count(*) filter (where is_login and in_window(day, 7)) as logins_7d,
    count(*) filter (where is_login and in_window(day, 30)) as logins_30d,
    count(distinct day) filter (where in_window(day, 7)) as active_days_7d,
    count(distinct day) filter (where in_window(day, 30)) as active_days_30d,
    count(distinct user_id) filter (where in_window(day, 30)) as active_users_30d,
    count(*) filter (where in_window(day, 14)) as events_14d,
    count(*) filter (where age(day) between 14 and 27) as events_14d_before,
    max(day) filter (where is_key_feature) as last_key_feature,
    count(distinct event_name) filter (where is_key_feature and in_window(day, 90)) as key_features_used_90d,
    count(distinct milestone) as adoption_milestones,
    count(*) filter (where is_advanced and in_window(day, 30)) as advanced_events_30d,
    count(*) filter (where is_premium and in_window(day, 14)) as premium_14d,
    count(*) filter (where is_premium and age(day) between 14 and 27) as premium_14d_before
from events
left join product_events using (event_name)
where day <= as_of()
group by account_id;

-- Support -----------------------------------------------------------------------------------------------

create temp table tickets as
select *
from (
    select *, row_number() over () as line
    from read_json(
        getvariable('extracts') || '/support/tickets/*', format = 'newline_delimited',
        columns = {
            'ticket_id': 'varchar', 'account_id': 'varchar', 'priority': 'varchar', 'sentiment': 'decimal(18, 6)',
            'subject': 'varchar', 'body': 'varchar', 'opened_at': 'timestamp', 'resolved_at': 'timestamp',
            'updated_at': 'timestamp'
        }
    )
)
qualify row_number() over (partition by ticket_id order by updated_at desc nulls last, line desc) = 1;

create temp table surveys as
select *
from (
    select *, row_number() over () as line
    from read_csv(
        getvariable('extracts') || '/feedback/surveys/*', header = true, auto_detect = false, quote = '"',
        escape = '"',
        columns = {
            'response_id': 'varchar', 'account_id': 'varchar', 'contact_id': 'varchar', 'kind': 'varchar',
            'score': 'decimal(18, 6)', 'comment': 'varchar', 'responded_at': 'timestamp'
        }
    )
)
qualify row_number() over (partition by response_id order by line desc) = 1;

create temp table ticket_signals as
select
    account_id,
    count(*) filter (where not is_seen(resolved_at)) as open_tickets,
    count(*) filter (where not is_seen(resolved_at) and priority = 'urgent') as open_urgent_tickets,
    count(*) filter (where in_window(opened_at, 30)) as tickets_30d,
    count(*) filter (where in_window(resolved_at, 30) and resolved_at - opened_at <= interval 24 hours)
        as fast_resolutions_30d,
    median(epoch_us(resolved_at - opened_at) / 3600000000.0) filter (where in_window(resolved_at, 90))
        as median_resolution_90d_hours,
    avg(sentiment) filter (where in_window(opened_at, 30)) as ticket_sentiment_30d
from tickets
where is_seen(opened_at)
group by account_id;

create temp table mention_signals as
select account_id, count(*) as competitor_mentions_30d
from (
    select account_id from tickets
    where in_window(opened_at, 30) and (names_competitor(subject) or names_competitor(body))
    union all
    select account_id from surveys
    where in_window(responded_at, 30) and names_competitor(comment)
)
group by account_id;

-- Billing -----------------------------------------------------------------------------------------------

create temp table invoices as
with landed as (
    select *, row_number() over () as line
    from read_csv(
        getvariable('extracts') || '/billing/invoices/*', header = true, auto_detect = false,
        columns = {
            'invoice_id': 'varchar', 'account_id': 'varchar', 'subscription_id': 'varchar',
            'amount_usd': 'decimal(18, 6)', 'status': 'varchar', 'issued_at': 'timestamp', 'due_at': 'timestamp',
            'paid_at': 'timestamp', 'updated_at': 'timestamp'
        }
    )
),
newest as (
    select * from landed
    qualify row_number() over (partition by invoice_id order by updated_at desc nulls last, line desc) = 1
)
select *, (paid_at is null and status = 'paid') or is_seen(paid_at) as is_paid
from newest
where status not in ('draft', 'void') and is_seen(issued_at);

create temp table payments as
with landed as (
    select *, row_number() over () as line
    from read_csv(
        getvariable('extracts') || '/billing/payments/*', header = true, auto_detect = false,
        columns = {
            'payment_id': 'varchar', 'invoice_id': 'varchar', 'account_id': 'varchar',
            'amount_usd': 'decimal(18, 6)', 'status': 'varchar', 'failure_code': 'varchar',
            'attempted_at': 'timestamp'
        }
    )
),
newest as (
    select * from landed
    qualify row_number() over (partition by payment_id order by line desc) = 1
)
select *
from newest
where is_seen(attempted_at);

create temp table last_invoices as
select * from invoices
qualify row_number() over (partition by account_id order by issued_at desc, invoice_id desc) = 1;

create temp table last_invoice_signals as
select
    last_invoices.account_id,
    cast(not is_paid and arg_max(payments.status, (attempted_at, payment_id)) = 'failed' as integer)
        as is_last_invoice_failed
from last_invoices
left join payments using (invoice_id)
group by last_invoices.account_id, is_paid;

create temp table payment_signals as
select account_id, count(*) filter (where status = 'failed' and in_window(attempted_at, 30)) as failed_payments_30d
from payments
group by account_id;

create temp table overdue_signals as
select account_id, count(*) as overdue_invoices, max(age(due_at)) as days_past_due
from invoices
where not is_paid and age(due_at) > 0
group by account_id;

create temp table downgrade_signals as
select distinct account_id, 1 as is_downgraded_90d
from subscription_versions
left join plans using (plan_id)
left join plans as previous on previous.plan_id = subscription_versions.previous_plan_id
where in_window(updated_at, 90) and (plans.rank < previous.rank or mrr_usd < previous_mrr_usd);

create temp table subscription_signals as
select
    account_id,
    sum(seats) as seats,
    min(cast(current_period_end as date)) filter (where cast(current_period_end as date) >= as_of()) - as_of()
        as days_to_renewal,
    min(card_expires_on) filter (where card_expires_on >= as_of()) - as_of() as days_to_card_expiry,
    cast(case when bool_or(is_paid) then true when bool_or(is_paid is null) then null else false end as integer)
        as is_paid_plan,
    sum(mrr_usd) as mrr_usd
from subscriptions
left join plans using (plan_id)
where is_live
group by account_id;

create temp table earlier_seats as
select account_id, sum(seats) as seats from subscriptions_at(as_of() - 14) where is_live group by account_id;

-- Messages ----------------------------------------------------------------------------------------------

create temp table messages as
with landed as (
    select *, row_number() over () as line
    from read_json(
        getvariable('extracts') || '/comms/messages/*', format = 'newline_delimited',
        columns = {
            'message_id': 'varchar', 'account_id': 'varchar', 'kind': 'varchar', 'invoice_id': 'varchar',
            'sent_at': 'timestamp', 'opened_at': 'timestamp', 'clicked_at': 'timestamp', 'updated_at': 'timestamp'
        }
    )
),
newest as (
    select * from landed
    qualify row_number() over (partition by message_id order by updated_at desc nulls last, line desc) = 1
)
select *
from newest
where is_seen(sent_at);

create temp table message_signals as
select
    account_id,
    100.0 * count(*) filter (where kind = 'onboarding' and in_window(sent_at, 30) and is_seen(opened_at))
        / nullif(count(*) filter (where kind = 'onboarding' and in_window(sent_at, 30)), 0)
        as onboarding_open_rate_30d_pct,
    count(*) filter (where kind = 'feature' and in_window(clicked_at, 30)) as feature_clicks_30d
from messages
group by account_id;

create temp table reminder_signals as
select distinct messages.account_id, 1 as is_reminder_unclicked_7d
from messages
inner join last_invoices using (account_id)
where kind = 'billing_reminder'
    and age(sent_at) >= 7
    and not is_seen(clicked_at)
    and not is_paid
    and if(messages.invoice_id is null, sent_at > issued_at, messages.invoice_id = last_invoices.invoice_id);

-- Relationship, value, sentiment ------------------------------------------------------------------------

create temp table touchpoint_signals as
with newest as (
    select
        *,
        direction = 'inbound' or channel = 'meeting' as is_reply,
        not coalesce(is_automated, false) as is_human
    from (
        select *, row_number() over () as line
        from read_csv(
            getvariable('extracts') || '/crm/touchpoints/*', header = true, auto_detect = false,
            columns = {
                'touchpoint_id': 'varchar', 'account_id': 'varchar', 'contact_id': 'varchar',
                'owner_id': 'varchar', 'channel': 'varchar', 'direction': 'varchar', 'is_automated': 'boolean',
                'occurred_at': 'timestamp'
            }
        )
    )
    qualify row_number() over (partition by touchpoint_id order by line desc) = 1
)
select
    account_id,
    max(cast(occurred_at as date)) filter (where is_reply and is_human) as last_reply,
    max(cast(occurred_at as date)) filter (where owner_id is not null and is_human) as last_contact,
    count(distinct contact_id) filter (where is_reply and in_window(occurred_at, 90)) as active_stakeholders_90d
from newest
where is_seen(occurred_at)
group by account_id;

create temp table champion_signals as
with newest as (
    select *
    from (
        select *, row_number() over () as line
        from read_csv(
            getvariable('extracts') || '/crm/contacts/*', header = true, auto_detect = false,
            columns = {
                'contact_id': 'varchar', 'account_id': 'varchar', 'email': 'varchar', 'full_name': 'varchar',
                'role': 'varchar', 'is_active': 'boolean', 'marketing_consent': 'boolean',
                'consent_updated_at': 'timestamp', 'created_at': 'timestamp', 'updated_at': 'timestamp'
            }
        )
    )
    qualify row_number() over (partition by contact_id order by updated_at desc nulls last, line desc) = 1
)
select distinct account_id, 1 as has_active_champion
from newest
where role in ('champion', 'sponsor') and is_active and (created_at is null or is_seen(created_at));

create temp table milestone_signals as
with newest as (
    select *
    from (
        select *, row_number() over () as line
        from read_csv(
            getvariable('extracts') || '/crm/milestones/*', header = true, auto_detect = false,
            columns = {
                'milestone_id': 'varchar', 'account_id': 'varchar', 'name': 'varchar', 'due_date': 'date',
                'completed_at': 'timestamp', 'updated_at': 'timestamp'
            }
        )
    )
    qualify row_number() over (partition by milestone_id order by updated_at desc nulls last, line desc) = 1
)
select
    account_id,
    count(*) filter (where due_date < as_of() and not is_seen(completed_at)) as overdue_milestones,
    100.0 * count(*) filter (where is_seen(completed_at)) / count(*) as milestones_met_pct
from newest
where due_date <= as_of()
group by account_id;

create temp table survey_signals as
select
    account_id,
    arg_max(score, (responded_at, response_id)) filter (where kind = 'nps' and in_window(responded_at, 180))
        as nps_latest,
    avg(score) filter (where kind = 'csat' and in_window(responded_at, 90)) as csat_90d
from surveys
group by account_id;

create temp table pulse_signals as
with newest as (
    select *
    from (
        select *, row_number() over () as line
        from read_csv(
            getvariable('extracts') || '/crm/pulses/*', header = true, auto_detect = false,
            columns = {
                'pulse_id': 'varchar', 'account_id': 'varchar', 'owner_id': 'varchar',
                'sentiment': 'decimal(18, 6)', 'note': 'varchar', 'recorded_at': 'timestamp'
            }
        )
    )
    qualify row_number() over (partition by pulse_id order by line desc) = 1
)
select account_id, arg_max(sentiment, (recorded_at, pulse_id)) as pulse_latest
from newest
where in_window(recorded_at, 90)
group by account_id;

create table limit_signals as
select
    account_id,
    -- usage
    as_of() - coalesce(last_login, cast(created_at as date)) as days_since_login,
    coalesce(logins_7d, 0) as logins_7d,
    coalesce(logins_30d, 0) as logins_30d,
    coalesce(active_days_7d, 0) as active_days_7d,
    coalesce(active_days_30d, 0) as active_days_30d,
    coalesce(active_users_30d, 0) as active_users_30d,
    100.0 * coalesce(active_users_30d, 0) / nullif(subscription_signals.seats, 0) as seat_utilization_30d_pct,
    change_pct(coalesce(events_14d, 0), events_14d_before) as usage_trend_14d_pct,
    -- adoption
    as_of() - coalesce(last_key_feature, cast(created_at as date)) as days_since_key_feature,
    coalesce(key_features_used_90d, 0) as key_features_used_90d,
    coalesce(adoption_milestones, 0) as adoption_milestones,
    coalesce(advanced_events_30d, 0) as advanced_events_30d,
    change_pct(coalesce(premium_14d, 0), premium_14d_before) as premium_usage_14d_pct,
    -- support
    coalesce(open_tickets, 0) as open_tickets,
    coalesce(open_urgent_tickets, 0) as open_urgent_tickets,
    coalesce(tickets_30d, 0) as tickets_30d,
    coalesce(fast_resolutions_30d, 0) as fast_resolutions_30d,
    median_resolution_90d_hours,
    ticket_sentiment_30d,
    coalesce(competitor_mentions_30d, 0) as competitor_mentions_30d,
    -- billing
    coalesce(failed_payments_30d, 0) as failed_payments_30d,
    coalesce(is_last_invoice_failed, 0) as is_last_invoice_failed,
    coalesce(overdue_invoices, 0) as overdue_invoices,
    coalesce(days_past_due, 0) as days_past_due,
    coalesce(is_downgraded_90d, 0) as is_downgraded_90d,
    change_pct(coalesce(subscription_signals.seats, 0), earlier_seats.seats) as seats_change_14d_pct,
    days_to_renewal,
    days_to_card_expiry,
    if(subscription_signals.account_id is null, 0, is_paid_plan) as is_paid_plan,
    coalesce(mrr_usd, 0) as mrr_usd,
    -- comms
    onboarding_open_rate_30d_pct,
    coalesce(feature_clicks_30d, 0) as feature_clicks_30d,
    coalesce(is_reminder_unclicked_7d, 0) as is_reminder_unclicked_7d,
    -- relationship
    as_of() - coalesce(last_reply, cast(created_at as date)) as days_since_reply,
    as_of() - coalesce(last_contact, cast(created_at as date)) as days_since_contact,
    coalesce(active_stakeholders_90d, 0) as active_stakeholders_90d,
    coalesce(has_active_champion, 0) as has_active_champion,
    -- value
    coalesce(overdue_milestones, 0) as overdue_milestones,
    milestones_met_pct,
    -- sentiment
    nps_latest,
    csat_90d,
    pulse_latest
from scored_accounts
left join event_signals using (account_id)
left join ticket_signals using (account_id)
left join mention_signals using (account_id)
left join payment_signals using (account_id)
left join last_invoice_signals using (account_id)
left join overdue_signals using (account_id)
left join downgrade_signals using (account_id)
left join subscription_signals using (account_id)
left join earlier_seats using (account_id)
left join message_signals using (account_id)
left join reminder_signals using (account_id)
left join touchpoint_signals using (account_id)
left join champion_signals using (account_id)
left join milestone_signals using (account_id)
left join survey_signals using (account_id)
left join pulse_signals using (account_id);

-- Scores ------------------------------------------------------------------------------------------------

-- The accounts' own thresholds, one column per signal that a rule reads.
create table limit_goals as
with newest as (
    select *
    from (
        select *, row_number() over () as line
        from read_csv(
            getvariable('extracts') || '/crm/goals/*', header = true, auto_detect = false,
            columns = {
                'goal_id': 'varchar', 'account_id': 'varchar', 'signal': 'varchar', 'target': 'decimal(18, 6)',
                'valid_from': 'date', 'valid_to': 'date'
            }
        )
    )
    qualify row_number() over (partition by goal_id order by line desc) = 1
),
valid as (
    select * from newest
    where (valid_from is null or valid_from <= as_of()) and (valid_to is null or valid_to >= as_of())
)
select
    account_id,
    max(target) filter (where signal = 'days_since_login') as days_since_login,
    max(target) filter (where signal = 'days_since_key_feature') as days_since_key_feature,
    max(target) filter (where signal = 'failed_payments_30d') as failed_payments_30d,
    max(target) filter (where signal = 'fast_resolutions_30d') as fast_resolutions_30d,
    max(target) filter (where signal = 'is_paid_plan') as is_paid_plan,
    max(target) filter (where signal = 'is_last_invoice_failed') as is_last_invoice_failed,
    max(target) filter (where signal = 'is_reminder_unclicked_7d') as is_reminder_unclicked_7d,
    max(target) filter (where signal = 'days_since_reply') as days_since_reply,
    max(target) filter (where signal = 'overdue_milestones') as overdue_milestones
from valid
group by account_id;

create table limit_overrides as
with newest as (
    select *
    from (
        select *, row_number() over () as line
        from read_csv(
            getvariable('extracts') || '/crm/overrides/*', header = true, auto_detect = false,
            columns = {
                'override_id': 'varchar', 'account_id': 'varchar', 'bucket': 'varchar', 'reason': 'varchar',
                'overridden_by': 'varchar', 'overridden_at': 'timestamp', 'expires_at': 'timestamp'
            }
        )
    )
    qualify row_number() over (partition by override_id order by line desc) = 1
)
select account_id, bucket
from newest
where is_seen(overridden_at)
qualify row_number() over (partition by account_id order by overridden_at desc, override_id desc) = 1
    and coalesce(expires_at, overridden_at + interval 30 days) >= seen_until();

-- Bucket ranks: 0 at_risk, 1 watch, 2 healthy. Only signals that are never null carry points, so both ends of
-- the interval are the score.
create view limit_scoring as
with facts as (
    select
        s.account_id,
        s.days_since_login >= coalesce(g.days_since_login, 14) as no_login,
        s.days_since_key_feature >= coalesce(g.days_since_key_feature, 30) as key_feature_unused,
        s.failed_payments_30d >= coalesce(g.failed_payments_30d, 1) as failed_payment,
        s.failed_payments_30d,
        s.fast_resolutions_30d >= coalesce(g.fast_resolutions_30d, 1) as fast_resolution,
        s.days_since_login >= coalesce(g.days_since_login, 21)
            and s.days_since_key_feature >= coalesce(g.days_since_key_feature, 30)
            and s.is_paid_plan = coalesce(g.is_paid_plan, 1) as churn_risk,
        s.is_last_invoice_failed = coalesce(g.is_last_invoice_failed, 1)
            and s.is_reminder_unclicked_7d = coalesce(g.is_reminder_unclicked_7d, 1) as payment_risk,
        s.days_since_reply >= coalesce(g.days_since_reply, 45)
            and s.overdue_milestones >= coalesce(g.overdue_milestones, 2) as silent_relationship
    from limit_signals as s
    left join limit_goals as g using (account_id)
),
summed as (
    select
        *,
        greatest(0, least(100,
            100
            - if(no_login, 20, 0)
            - if(key_feature_unused, 30, 0)
            - if(failed_payment, 15 * failed_payments_30d, 0)
            + if(fast_resolution, 10, 0)
        )) as score
    from facts
),
bucketed as (
    select
        *,
        ['at_risk', 'watch', 'healthy'][1 + least(
            case when score >= 80 then 2 when score >= 50 then 1 else 0 end,
            if(churn_risk, 0, 2),
            if(payment_risk, 1, 2),
            if(silent_relationship, 1, 2)
        )] as bucket
    from summed
)
select
    account_id,
    score,
    score as score_low,
    score as score_high,
    bucketed.bucket,
    coalesce(limit_overrides.bucket, bucketed.bucket) as final_bucket
from bucketed
left join limit_overrides using (account_id);

create table limit_scores as from limit_scoring;
