-- The invented facts of the benchmark, as macros and views. Every value is a function of a row's number
-- (md5 and modular arithmetic), so the same settings give the same rows on every machine.
-- Settings (session variables): accounts, events, days, end_date, seeds.
-- Every macro takes `seen`, the last day that its extract knows: rows and states after it are not there yet.
-- `touched_at` is when the row last changed; an extract of one day holds the rows touched on that day.

create macro draw(tag, number) as md5_number_lower(tag || '/' || number);

-- The part of a draw from bit `shift` on, as a number below `size`.
create macro part(drawn, shift, size) as cast((drawn >> shift) % cast(size as ubigint) as bigint);

create macro start_date() as getvariable('end_date') - cast(getvariable('days') as integer) + 1;

-- A second of the day that lies `day_number` days after the first day.
create macro moment_on(day_number, drawn) as
    cast(start_date() as timestamp) + to_seconds(cast(day_number as bigint) * 86400 + part(drawn, 7, 86400));

-- Null until it has happened.
create macro known(moment, seen) as case when moment < cast(seen + 1 as timestamp) then moment end;

create macro account_key(account) as 'acc_' || lpad(cast(account as varchar), 7, '0');

-- Accounts that stay out of the way of the exceptions below: never new, never quiet.
create macro is_quiet(account) as account % 8 = 5;
create macro is_new(account) as account % 8 = 6;
create macro is_silent(account) as account % 11 = 4;

create macro created_day(account) as
    case
        when account >= getvariable('accounts') then getvariable('days')
        when is_new(account) then part(draw('created', account), 3, getvariable('days'))
        else -1 - part(draw('created', account), 3, 1000)
    end;

-- Quiet accounts send no events in their last 1 to 60 days.
create macro quiet_from(account) as getvariable('days') - 1 - part(draw('quiet', account), 3, 60);

create table bench_plans as
select plan_id, row_number() over (order by rank, plan_id) - 1 as place
from read_csv(getvariable('seeds') || '/plans.csv', header = true);

create table bench_competitors as
select name, row_number() over (order by name) - 1 as place
from read_csv(getvariable('seeds') || '/competitors.csv', header = true);

create table bench_event_names as
select event_name, is_login, row_number() over (partition by is_login order by event_name) - 1 as place
from read_csv(getvariable('seeds') || '/product_events.csv', header = true);

set variable login_names = (select list(event_name order by place) from bench_event_names where is_login);
set variable other_names = (select list(event_name order by place) from bench_event_names where not is_login);
set variable plan_ids = (select list(plan_id order by place) from bench_plans);
set variable rivals = (select list(name order by place) from bench_competitors);

create macro plan_at(place) as
    getvariable('plan_ids')[1 + least(greatest(place, 0), len(getvariable('plan_ids')) - 1)];

create macro rival(drawn) as
    getvariable('rivals')[1 + part(drawn, 11, len(getvariable('rivals')))];

-- A few sentences; one in `often` names a competitor, as many hide the name inside a longer word.
create macro prose(tag, number, often) as
    'We looked at this with the team on ' || part(draw(tag, number), 2, 28) + 1
    || ' machines. The list of ' || md5(tag || number)
    || ' does not load in the morning, and the export stops after a while. '
    || case part(draw(tag, number), 5, often)
        when 0 then 'Our colleagues use ' || upper(rival(draw(tag, number))) || ', they say it is faster.'
        when 1 then 'See ' || rival(draw(tag, number)) || 'ish for what we mean.'
        else 'Please tell us what to change, thank you.'
    end;

-- crm ---------------------------------------------------------------------------------------------------

create macro crm_accounts(seen) as table
with drawn as (
    select account, draw('account', account) as r, draw('moved', account) as moved
    from range(cast(getvariable('accounts') * 1.002 as bigint) + 1) as t (account)
),
dated as (
    select
        *,
        moment_on(created_day(account), r) as created,
        moment_on(getvariable('days'), moved) as changed
    from drawn
),
stated as (
    select *, r % 50 = 0 and changed > created and known(changed, seen) is not null as is_moved,
        r % 251 = 7 and account < getvariable('accounts') as is_gone
    from dated
)
select
    account_key(account) as account_id,
    'Company ' || account as name,
    'company' || account || '.example' as domain,
    'own_' || part(case when is_moved then moved else r end, 2, greatest(5, getvariable('accounts') // 100))
        as owner_id,
    ['smb', 'mid_market', 'enterprise'][1 + part(case when is_moved then moved else r end, 9, 3)] as segment,
    ['retail', 'health', 'finance', 'public', 'media'][1 + part(r, 13, 5)] as industry,
    ['US', 'DE', 'GB', 'FR', 'IN'][1 + part(r, 17, 5)] as country,
    case when part(r, 19, 20) = 0 and account > 0 then account_key(account // 2) end as parent_account_id,
    -- the CRM knows a revenue of its own for one account in ten, and then another one than billing
    case when part(r, 23, 10) = 0 then cast(1200 + part(r, 27, 9000000) / 100 as decimal(18, 2)) end as arr_usd,
    'customer' as lifecycle_stage,
    plan_at(part(draw('plan', account), 3, len(getvariable('plan_ids')))) as plan_id,
    created as created_at,
    case when is_moved then changed when is_gone then created + interval 1 hour else created end as updated_at,
    is_gone as is_deleted,
    case when is_moved then changed else created end as touched_at
from stated
where known(created, seen) is not null;

create macro crm_owners(seen) as table
select
    'own_' || owner as owner_id,
    'Owner ' || owner as name,
    'owner' || owner || '@radar.example' as email,
    'U' || upper(left(md5('slack' || owner), 10)) as slack_user_id,
    true as is_active,
    moment_on(-400, draw('owner', owner)) as updated_at,
    moment_on(-400, draw('owner', owner)) as touched_at
from range(greatest(5, getvariable('accounts') // 100)) as t (owner);

create macro crm_contacts(seen) as table
with drawn as (
    select number, number // 4 as account, number % 4 as place, draw('contact', number) as r
    from range(getvariable('accounts') * 4) as t (number)
),
dated as (
    select *,
        moment_on(created_day(account), r) as created,
        case when part(r, 5, 10) < 3 then moment_on(part(r, 9, getvariable('days') + 1), r) end as left_at
    from drawn
)
select
    'con_' || number as contact_id,
    account_key(account) as account_id,
    'person' || number || '@company' || account || '.example' as email,
    'Person ' || number as full_name,
    ['champion', case when part(r, 3, 2) = 0 then 'sponsor' else 'user' end, 'admin', 'user'][1 + place] as role,
    known(left_at, seen) is null as is_active,
    part(r, 13, 3) > 0 as marketing_consent,
    created as consent_updated_at,
    created as created_at,
    greatest(created, coalesce(known(left_at, seen), created)) as updated_at,
    greatest(created, coalesce(known(left_at, seen), created)) as touched_at
from dated
where known(created, seen) is not null;

create macro crm_touchpoints(seen) as table
with drawn as (
    select number, number % getvariable('accounts') as account, draw('touch', number) as r
    from range(getvariable('accounts') * 12) as t (number)
),
dated as (
    select *,
        moment_on(
            part(r, 9, case when is_silent(account) then greatest(1, getvariable('days') - 70)
                else getvariable('days') + 1 end),
            r
        ) as occurred
    from drawn
)
select
    'tch_' || number as touchpoint_id,
    account_key(account) as account_id,
    case when part(r, 3, 5) > 0 then 'con_' || (account * 4 + part(r, 21, 4)) end as contact_id,
    case when part(r, 25, 5) > 0 then 'own_' || part(r, 29, greatest(5, getvariable('accounts') // 100)) end
        as owner_id,
    ['call', 'email', 'meeting', 'note'][1 + part(r, 33, 4)] as channel,
    case when part(r, 37, 2) = 0 then 'inbound' else 'outbound' end as direction,
    case part(r, 41, 10) when 0 then null when 1 then true when 2 then true else false end as is_automated,
    occurred as occurred_at,
    occurred as touched_at
from dated
where known(occurred, seen) is not null;

create macro crm_milestones(seen) as table
with drawn as (
    select number, number % getvariable('accounts') as account, draw('milestone', number) as r
    from range(getvariable('accounts') * 4) as t (number)
),
dated as (
    select *,
        start_date() + cast(part(r, 9, getvariable('days') + 60) as integer) as due,
        part(r, 3, 10) < case when is_silent(account) then 2 else 7 end as is_met
    from drawn
),
stated as (
    select *,
        known(case when is_met then cast(due as timestamp) + to_hours(part(r, 17, 480) - 240) end, seen) as done,
        least(cast(start_date() as timestamp), cast(due as timestamp) - to_days(30)) as planned
    from dated
)
select
    'mst_' || number as milestone_id,
    account_key(account) as account_id,
    ['Kick-off', 'Training', 'Roll-out', 'Review'][1 + part(r, 13, 4)] as name,
    due as due_date,
    done as completed_at,
    coalesce(done, planned) as updated_at,
    coalesce(done, planned) as touched_at
from stated;

create macro crm_goals(seen) as table
select
    'goal_' || account as goal_id,
    account_key(account) as account_id,
    ['days_since_login', 'days_since_key_feature', 'days_since_reply', 'seats_change_14d_pct'][1 + place] as signal,
    [30, 60, 90, 50][1 + place] as target,
    start_date() as valid_from,
    case when account % 3 = 0 then getvariable('end_date') - 40 end as valid_to,
    cast(start_date() as timestamp) as touched_at
from (
    select account, part(draw('goal', account), 3, 4) as place
    from range(getvariable('accounts')) as t (account)
    where account % 20 = 2
);

create macro crm_pulses(seen) as table
with drawn as (
    select number, number % getvariable('accounts') as account, draw('pulse', number) as r
    from range(getvariable('accounts') * 2) as t (number)
)
select
    'pls_' || number as pulse_id,
    account_key(account) as account_id,
    'own_' || part(r, 3, greatest(5, getvariable('accounts') // 100)) as owner_id,
    1 + part(r, 29, 5) as sentiment,
    case when part(r, 33, 3) = 0 then 'Spoke with the sponsor' end as note,
    moment_on(part(r, 9, getvariable('days') + 1), r) as recorded_at,
    moment_on(part(r, 9, getvariable('days') + 1), r) as touched_at
from drawn
where known(moment_on(part(r, 9, getvariable('days') + 1), r), seen) is not null;

create macro crm_overrides(seen) as table
with drawn as (
    select number, number * 97 % getvariable('accounts') as account, draw('override', number) as r
    from range(10 + getvariable('accounts') // 50) as t (number)
),
dated as (
    select *, moment_on(getvariable('days') - part(r, 9, 60), r) as decided
    from drawn
)
select
    'ovr_' || number as override_id,
    account_key(account) as account_id,
    ['healthy', 'watch', 'at_risk'][1 + part(r, 3, 3)] as bucket,
    'Spoke with the customer' as reason,
    'owner' || number || '@radar.example' as overridden_by,
    decided as overridden_at,
    case when part(r, 17, 2) = 0 then decided + to_days(1 + part(r, 21, 50)) end as expires_at,
    decided as touched_at
from dated
where known(decided, seen) is not null;

create macro crm_identities(seen) as table
select
    source,
    source || '-' || account as source_account_id,
    account_key(account) as account_id,
    cast(start_date() as timestamp) as touched_at
from range(getvariable('accounts')) as t (account)
cross join (values ('billing'), ('support')) as sources (source);

-- billing -----------------------------------------------------------------------------------------------

-- Two versions of most subscriptions and three of some: the start, a change long ago, a change of late.
create macro subscription_versions(seen) as table
with drawn as (
    select account, place, draw('subscription', account || '-' || place) as r
    from range(getvariable('accounts')) as t (account)
    cross join range(2) as p (place)
    where account % 25 != 7 and (place = 0 or account % 20 = 3)
),
base as (
    select *,
        part(draw('plan', account), 3, len(getvariable('plan_ids'))) as plan_place,
        moment_on(created_day(account), r) + interval 1 hour as started,
        2 + part(r, 3, 60) as seats_0,
        part(r, 9, 100) as lot,
        not is_new(account) and part(r, 13, 10) < 6 as is_changed,
        not is_new(account) and part(r, 17, 10) < 4 as is_late_changed,
        part(r, 21, 50) = 0 and not is_new(account) as is_only_canceled
    from drawn
),
versions as (
    select *, 0 as version, started as updated, seats_0 as seats, plan_place as place_now, 0 as kind
    from base where not is_only_canceled
    union all by name
    select *, 1 as version, moment_on(part(r, 25, greatest(1, getvariable('days') - 61)), r) as updated,
        seats_0 + part(r, 29, 8) as seats, plan_place as place_now, 0 as kind
    from base where not is_only_canceled and is_changed
    union all by name
    select *, 2 as version, moment_on(getvariable('days') - part(r, 33, least(60, getvariable('days'))), r) as updated,
        case when lot between 40 and 69 then cast(ceil(seats_0 * (1 + lot / 100.0)) as bigint) else seats_0 end
            as seats,
        case when lot between 20 and 29 then greatest(plan_place - 1, 0) else plan_place end as place_now,
        case when lot < 10 then 1 when lot < 18 then 2 when lot between 30 and 34 then 3
            when lot between 35 and 39 then 4 else 0 end as kind
    from base where not is_only_canceled and is_late_changed
    union all by name
    select *, 0 as version, moment_on(part(r, 25, getvariable('days')), r) as updated,
        seats_0 as seats, plan_place as place_now, 1 as kind
    from base where is_only_canceled
)
select
    'sub_' || account || '_' || place as subscription_id,
    account_key(account) as account_id,
    plan_at(place_now) as plan_id,
    ['active', 'canceled', 'past_due', 'paused', 'active'][1 + kind] as status,
    seats,
    cast(seats * place_now * case when kind = 4 then 8 else 10 end as decimal(18, 2)) as mrr_usd,
    started as started_at,
    cast(getvariable('end_date') as timestamp) + to_days(part(r, 37, 400) - 20) as current_period_end,
    kind = 1 as cancel_at_period_end,
    case when kind = 1 then updated end as canceled_at,
    getvariable('end_date') + cast(part(r, 41, 900) - 20 as integer) as card_expires_on,
    updated as updated_at,
    updated as touched_at
from versions
where known(updated, seen) is not null and known(started, seen) is not null;

-- One a month and account, the last six months; some accounts have two in the same second.
create macro drawn_invoices() as table
with drawn as (
    select account, place, draw('invoice', account || '-' || place) as r
    from range(getvariable('accounts')) as t (account)
    cross join range(7) as p (place)
    where account % 25 != 7 and (place < 6 or account % 100 = 9)
)
select *,
    'inv_' || account || '_' || place as invoice_id,
    cast(getvariable('end_date') + 1 - 30 * cast(place % 6 as integer) - cast(account % 30 as integer) as timestamp)
        + interval 9 hours as issued,
    part(r, 5, 100) as lot
from drawn;

create macro dated_invoices() as table
select *,
    case
        when lot < 8 then null
        when lot < 20 then issued + to_days(18 + part(r, 13, 40)) + interval 2 hours
        else issued + to_days(part(r, 13, 6)) + interval 3 hours
    end as paid,
    case part(r, 21, 100) when 0 then 'void' when 1 then 'draft' when 2 then 'uncollectible' when 3 then 'paid' end
        as fixed_status
from drawn_invoices();

create macro billing_invoices(seen) as table
select
    invoice_id,
    account_key(account) as account_id,
    'sub_' || account || '_0' as subscription_id,
    cast(50 + part(r, 29, 200000) / 100 as decimal(18, 2)) as amount_usd,
    coalesce(fixed_status, case when known(paid, seen) is not null then 'paid' else 'open' end) as status,
    issued as issued_at,
    issued + interval 14 days as due_at,
    case when fixed_status is null then known(paid, seen) end as paid_at,
    coalesce(case when fixed_status is null then known(paid, seen) end, issued) as updated_at,
    coalesce(case when fixed_status is null then known(paid, seen) end, issued) as touched_at
from dated_invoices()
where known(issued, seen) is not null;

create macro billing_payments(seen) as table
with attempts as (
    select invoice_id, account, r, 1 as place, issued + interval 1 day as attempted, 'failed' as status
    from dated_invoices() where lot < 20
    union all
    select invoice_id, account, r, 2, issued + interval 4 days, 'failed' from dated_invoices() where lot < 14
    union all
    select invoice_id, account, r, 3, paid, 'succeeded' from dated_invoices() where paid is not null
    union all
    select invoice_id, account, r, 4, paid + interval 3 days, 'refunded' from dated_invoices() where lot >= 98
)
select
    'pay_' || invoice_id || '_' || place as payment_id,
    invoice_id,
    account_key(account) as account_id,
    cast(50 + part(r, 29, 200000) / 100 as decimal(18, 2)) as amount_usd,
    status,
    case when status = 'failed' then 'card_declined' end as failure_code,
    attempted as attempted_at,
    attempted as touched_at
from attempts
where known(attempted, seen) is not null;

-- support, comms, feedback ------------------------------------------------------------------------------

create macro support_tickets(seen) as table
with drawn as (
    select number, number * 7 % getvariable('accounts') as account, draw('ticket', number) as r
    from range(getvariable('accounts') * 3) as t (number)
),
dated as (
    select *,
        moment_on(part(r, 9, getvariable('days') + 1), r) as opened,
        case when part(r, 3, 20) < 17
            then moment_on(part(r, 9, getvariable('days') + 1), r) + to_minutes(20 + part(r, 21, 70) * part(r, 27, 70)) end
            as solved
    from drawn
)
select
    'tkt_' || number as ticket_id,
    account_key(account) as account_id,
    'con_' || (account * 4 + part(r, 31, 4)) as contact_id,
    case when known(solved, seen) is null then 'open' else 'solved' end as status,
    ['low', 'normal', 'high', 'urgent'][1 + part(r, 35, 4)] as priority,
    case when part(r, 39, 5) > 0 then cast(part(r, 43, 201) / 100.0 - 1 as decimal(18, 2)) end as sentiment,
    'Export stops, case ' || number as subject,
    prose('ticket', number, 20) as body,
    opened as opened_at,
    known(opened + interval 15 minutes, seen) as first_response_at,
    known(solved, seen) as resolved_at,
    coalesce(known(solved, seen), opened) as updated_at,
    coalesce(known(solved, seen), opened) as touched_at
from dated
where known(opened, seen) is not null;

-- Messages at any time, and one reminder for every invoice that is late.
create macro comms_messages(seen) as table
with sent as (
    select
        'msg_' || number as message_id, number % getvariable('accounts') as account, draw('message', number) as r,
        ['onboarding', 'onboarding', 'feature', 'feature', 'feature', 'newsletter', 'newsletter', 'survey'][
            1 + part(draw('message', number), 3, 8)] as kind,
        cast(null as varchar) as invoice_id,
        moment_on(part(draw('message', number), 9, getvariable('days') + 1), draw('message', number)) as sent_at
    from range(getvariable('accounts') * 10) as t (number)
    union all
    select 'msg_' || invoice_id, account, r, 'billing_reminder',
        case when part(r, 33, 10) < 7 then invoice_id end, issued + interval 75 hours
    from dated_invoices() where lot < 20
),
read as (
    select *,
        case when part(r, 21, 10) < 5 then sent_at + to_minutes(5 + part(r, 25, 6000)) end as opened,
        case when part(r, 21, 10) < 2 then sent_at + to_minutes(9 + part(r, 25, 6000)) end as clicked
    from sent
)
select
    message_id,
    account_key(account) as account_id,
    'con_' || (account * 4 + part(r, 37, 4)) as contact_id,
    kind,
    invoice_id,
    sent_at,
    known(opened, seen) as opened_at,
    known(clicked, seen) as clicked_at,
    case when part(r, 41, 200) = 0 then known(opened, seen) end as unsubscribed_at,
    coalesce(known(clicked, seen), known(opened, seen), sent_at) as updated_at,
    coalesce(known(clicked, seen), known(opened, seen), sent_at) as touched_at
from read
where known(sent_at, seen) is not null;

create macro feedback_surveys(seen) as table
with drawn as (
    select number, number % getvariable('accounts') as account, draw('survey', number) as r,
        part(draw('survey', number), 3, 3) as place
    from range(getvariable('accounts') * 2) as t (number)
)
select
    'srv_' || number as response_id,
    account_key(account) as account_id,
    'con_' || (account * 4 + part(r, 31, 4)) as contact_id,
    ['nps', 'csat', 'ces'][1 + place] as kind,
    case when place = 0 then part(r, 25, 11) else 1 + part(r, 25, 5) end as score,
    case when part(r, 37, 2) = 0 then prose('survey', number, 10) end as comment,
    moment_on(part(r, 9, getvariable('days') + 1), r) as responded_at,
    moment_on(part(r, 9, getvariable('days') + 1), r) as touched_at
from drawn
where known(moment_on(part(r, 9, getvariable('days') + 1), r), seen) is not null;

-- product -----------------------------------------------------------------------------------------------

-- Which events a file holds: their numbers, and the day on which each happened.
create macro day_of(number) as number * getvariable('days') // getvariable('events');

-- A base file: events `low` to `high`, and every 200th of them brings an older event again.
create macro base_events(low, high) as table
select number, day_of(number) as day from range(low, high) as t (number)
union all
select number - 5000, day_of(number - 5000) from range(low, high) as t (number)
where number % 200 = 77 and number >= 5000;

-- The day after: one in a hundred is up to 30 days late, one in a hundred was sent before, mostly lately.
create macro next_events(amount) as table
with fresh as (
    select number, draw('fresh', number) as r
    from range(getvariable('events'), getvariable('events') + amount) as t (number)
),
chosen as (
    select
        case
            when number % 100 != 77 then number
            when part(r, 3, 4) = 0 then part(r, 9, getvariable('events'))
            else getvariable('events') - 1
                - part(r, 9, greatest(1, getvariable('events') * least(30, getvariable('days')) // getvariable('days')))
        end as number,
        number % 100 = 50 as is_late,
        r
    from fresh
)
select
    number,
    case
        when number < getvariable('events') then day_of(number)
        when is_late then greatest(0, getvariable('days') - 1 - part(r, 15, 30))
        else getvariable('days')
    end as day
from chosen;

-- The rows of the events in the table `wanted` (number, day). The events of an account that is quiet or not
-- there yet fall to a neighbour. A tenth of all accounts sends a third of all events, users likewise.
create view product_events as
with drawn as (
    select number, day, md5('event/' || number) as digest, draw('event', number) as r, draw('use', number) as s
    from wanted
),
aimed as (
    select *,
        cast(floor(pow(part(r, 1, 1000003) / 1000003.0, 2) * getvariable('accounts')) as bigint) as aim
    from drawn
),
placed as (
    select *,
        case
            when is_quiet(aim) and day >= quiet_from(aim) then greatest(aim - 1, 0)
            when is_new(aim) and day < created_day(aim) then greatest(aim - 2, 0)
            else aim
        end as account
    from aimed
)
select
    cast(cast(digest as uuid) as varchar) as event_id,
    account_key(account) as account_id,
    case when part(s, 3, 100) > 0 then
        'usr_' || account || '_'
        || cast(floor(pow(part(s, 11, 10007) / 10007.0, 2) * (10 + account % 40)) as bigint)
    end as user_id,
    case
        when part(s, 29, 1000) < 5 then 'beta_opened'
        when part(s, 29, 1000) < 300
            then getvariable('login_names')[1 + part(s, 41, len(getvariable('login_names')))]
        else getvariable('other_names')[1 + least(
            part(s, 41, len(getvariable('other_names'))), part(s, 47, len(getvariable('other_names')) + 3))]
    end as event_name,
    cast(start_date() as timestamp) + to_seconds(day * 86400 + part(r, 23, 86400)) as occurred_at,
    '{"session":"' || left(digest, 16) || '","page":"/workspace/' || part(s, 17, 977) || '/report/' || part(r, 31, 9973)
        || '","referrer":"https://app.example/start","browser":"'
        || ['Firefox', 'Chrome', 'Safari', 'Edge'][1 + part(s, 5, 4)]
        || '","version":"' || part(s, 7, 9) || '.' || part(s, 13, 30)
        || '","took_ms":' || part(r, 37, 5000) || ',"screen":"1920x1080","is_mobile":false}' as properties
from placed;
