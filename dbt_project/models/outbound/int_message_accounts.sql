-- Grain: one row per account that ever had an action: what messages about it name, as of the newest scored date.
-- An account that is not scored any more keeps its newest name and has nothing else.
with

newest_date as (

    select max(as_of_date) as as_of_date
    from {{ ref('fct_health_history') }}

),

accounts as (

    select distinct account_id
    from {{ ref('fct_actions') }}

),

health as (

    select * from {{ ref('rpt_account_health') }}

),

-- accounts have a row for each of their versions
names as (

    select
        account_id,
        name,
        row_number() over (
            partition by account_id
            order by version_at desc
        ) as version_rank
    from {{ ref('stg_crm__accounts') }}

),

usage as (

    select
        sig_usage.account_id,
        sig_usage.days_since_login,
        {{ add_days('newest_date.as_of_date', '-cast(sig_usage.days_since_login as integer)') }} as last_login_date
    from {{ ref('sig_usage') }} as sig_usage
    inner join newest_date
        on sig_usage.as_of_date = newest_date.as_of_date

),

urls as (

    select
        account_id,
        label,
        url
    from {{ ref('int_account_urls') }}
    where object = 'account'

),

final as (

    select
        accounts.account_id,
        coalesce(health.account_name, names.name, accounts.account_id) as account_name,
        health.account_id is not null as is_scored,
        health.bucket,
        health.score,
        health.score_low,
        health.score_high,
        health.arr_usd,
        health.days_to_renewal,
        health.reason_1,
        health.reason_2,
        health.reason_3,
        health.reason_4,
        health.reason_rules,
        health.rule_set,
        urls.url as account_url,
        urls.label as account_url_label,
        usage.days_since_login,
        usage.last_login_date
    from accounts
    left join health
        on accounts.account_id = health.account_id
    left join names
        on
            accounts.account_id = names.account_id
            and names.version_rank = 1
    left join urls
        on accounts.account_id = urls.account_id
    left join usage
        on accounts.account_id = usage.account_id

)

select * from final
