-- The rules of the shipped champion (base score 100) on the demo's files, at the end of day $as_of: a short, separate
-- reading of the contract, to see whether the stories land where they should.
with

accounts as (
    select account_id, max_by(created_at, updated_at)::timestamp as created_at
    from read_csv('{root}/crm/accounts/*.csv', all_varchar = true)
    group by account_id
),

names as (select * from read_csv('{seeds}/product_events.csv')),

plans as (select * from read_csv('{seeds}/plans.csv')),

usage as (
    select
        events.account_id,
        max(occurred_at::date) filter (where is_login) as last_login,
        max(occurred_at::date) filter (where is_key_feature) as last_key,
        count(distinct event_id) filter (where is_premium and occurred_at::date > $as_of - 14) as premium_new,
        count(distinct event_id) filter (
            where is_premium and occurred_at::date between $as_of - 27 and $as_of - 14
        ) as premium_old
    from read_parquet('{root}/product/events/*.parquet') as events
    left join names using (event_name)
    group by events.account_id
),

versions as (
    select *, row_number() over (partition by subscription_id order by updated_at desc) as nth
    from read_csv('{root}/billing/subscriptions/*.csv')
),

subscriptions as (
    select
        account_id,
        bool_and(status = 'canceled') as is_churned,
        max((plans.is_paid and status in ('trialing', 'active', 'past_due'))::int) as is_paid,
        sum(seats) filter (where status in ('trialing', 'active', 'past_due')) as seats
    from versions left join plans using (plan_id)
    where nth = 1
    group by account_id
),

earlier_seats as (
    select account_id, sum(seats) as seats
    from (
        select account_id, subscription_id, max_by(seats, updated_at) as seats, max_by(status, updated_at) as status
        from versions where updated_at::date <= $as_of - 14
        group by account_id, subscription_id
    )
    where status in ('trialing', 'active', 'past_due')
    group by account_id
),

payments as (select * from read_json('{root}/billing/payments/*.ndjson.gz')),

invoices as (
    select invoice_id, max_by(invoice, updated_at) as newest
    from read_csv('{root}/billing/invoices/*.csv') as invoice
    group by invoice_id
),

failures as (
    select account_id, count(*) as failed
    from payments where status = 'failed' and attempted_at::date > $as_of - 30
    group by account_id
),

last_invoices as (
    select
        newest.account_id as account_id,
        max_by(newest, (newest.issued_at, newest.invoice_id)) as invoice
    from invoices where newest.status not in ('draft', 'void')
    group by 1
),

last_attempts as (
    select invoice_id, max_by(status, attempted_at) as status from payments group by invoice_id
),

reminders as (
    select
        messages.account_id,
        bool_or(sent_at::date <= $as_of - 7) and bool_and(clicked_at is null) as is_unclicked
    from read_json('{root}/comms/messages/????-Q?.ndjson.gz') as messages
    join last_invoices using (account_id)
    where
        kind = 'billing_reminder'
        and coalesce(messages.invoice_id = invoice.invoice_id, sent_at::timestamp > invoice.issued_at)
    group by messages.account_id
),

billing as (
    select
        last_invoices.account_id,
        invoice.paid_at is null and invoice.status <> 'paid' and last_attempts.status = 'failed' as is_failed,
        invoice.paid_at is null and invoice.status <> 'paid' and coalesce(is_unclicked, false) as is_unclicked
    from last_invoices
    left join last_attempts on last_attempts.invoice_id = invoice.invoice_id
    left join reminders using (account_id)
),

replies as (
    select account_id, max(occurred_at::date) as last_reply
    from read_json('{root}/crm/touchpoints/*.ndjson.gz')
    where (direction = 'inbound' or channel = 'meeting') and not is_automated
    group by account_id
),

milestones as (
    select account_id, count(*) as overdue
    from read_csv('{root}/crm/milestones/*.csv')
    where due_date < $as_of and completed_at is null
    group by account_id
),

goals as (
    select
        account_id,
        max(target) filter (where signal = 'days_since_login') as login,
        max(target) filter (where signal = 'days_since_key_feature') as key_feature
    from read_csv('{root}/crm/goals/*.csv')
    where valid_to is null
    group by account_id
),

tickets as (
    select
        account_id,
        count(*) filter (
            where resolved_at::date > $as_of - 30 and resolved_at <= opened_at + interval 24 hour
        ) as fast,
        count(*) filter (
            where opened_at::date > $as_of - 30
            and regexp_matches(body, '(?i)(northlane|quillmetric|tallyforge|vantora|pellucid suite)')
        ) as competitors
    from read_csv('{root}/support/tickets/*.csv')
    group by account_id
),

facts as (
    select
        accounts.account_id,
        coalesce(is_churned, false) as is_churned,
        date_diff('day', coalesce(last_login, accounts.created_at::date), $as_of) as login_days,
        date_diff('day', coalesce(last_key, accounts.created_at::date), $as_of) as key_days,
        date_diff('day', coalesce(last_reply, accounts.created_at::date), $as_of) as reply_days,
        coalesce(goals.login, 14) as login_limit,
        coalesce(goals.login, 21) as churn_limit,
        coalesce(goals.key_feature, 30) as key_limit,
        coalesce(failed, 0) as failed,
        coalesce(fast, 0) as fast,
        coalesce(overdue, 0) as overdue,
        coalesce(is_paid, 0) as is_paid,
        coalesce(billing.is_failed and billing.is_unclicked, false) as is_payment_risk,
        coalesce(competitors, 0) as competitors,
        coalesce(subscriptions.seats >= 1.2 * earlier_seats.seats, false) as has_more_seats,
        coalesce(premium_old > 0 and premium_new >= 2 * premium_old, false) as has_more_premium
    from accounts
    left join usage using (account_id)
    left join subscriptions using (account_id)
    left join earlier_seats using (account_id)
    left join failures using (account_id)
    left join billing using (account_id)
    left join replies using (account_id)
    left join milestones using (account_id)
    left join goals using (account_id)
    left join tickets using (account_id)
),

scores as (
    select
        *,
        login_days >= churn_limit and key_days >= key_limit and is_paid = 1 as is_churn_risk,
        reply_days >= 45 and overdue >= 2 as is_silent,
        greatest(0, least(100,
            100
            - case when login_days >= login_limit then 20 else 0 end
            - case when key_days >= key_limit then 30 else 0 end
            - 15 * failed
            + case when fast >= 1 then 10 else 0 end
        )) as score
    from facts
)

select
    *,
    case
        when is_churned then 'churned'
        when score < 50 or is_churn_risk then 'at_risk'
        when score < 80 or is_payment_risk or is_silent then 'watch'
        else 'healthy'
    end as bucket
from scores
