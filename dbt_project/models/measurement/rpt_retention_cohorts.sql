-- Grain: one row per month in which accounts began to pay, their plan then, and number of months since: who still was a
-- customer and what they paid. month_number 0 is the first paid day itself, n the same day n months later.
-- is_open: not all accounts of the cohort are that old yet; the figures are null then.
with

states as (

    select * from {{ ref('fct_billing_intervals') }}

),

known as (

    select max(known_until_date) as known_until_date from {{ ref('int_measured_dates') }}

),

first_paid as (

    select
        account_id,
        min(valid_from_date) as first_paid_date
    from states
    where is_paying
    group by account_id

),

starts as (

    select
        first_paid.account_id,
        first_paid.first_paid_date,
        coalesce(states.live_plan_id, 'none') as plan_id,
        states.mrr_usd as mrr_start_usd
    from first_paid
    inner join states
        on
            first_paid.account_id = states.account_id
            and first_paid.first_paid_date = states.valid_from_date

),

months as (

    select
        starts.*,
        cast(date_trunc('month', starts.first_paid_date) as date) as start_month,
        cast(numbers.month_number as integer) as month_number,
        cast(
            {{ dbt.dateadd('month', 'numbers.month_number', 'starts.first_paid_date') }} as date
        ) as compared_date,
        known.known_until_date
    from starts
    cross join known
    cross join (select unnest(generate_series(0, 24)) as month_number) as numbers
    where
        starts.first_paid_date <= known.known_until_date
        and cast(date_trunc('month', known.known_until_date) as date) >= cast(
            {{ dbt.dateadd('month', 'numbers.month_number', "date_trunc('month', starts.first_paid_date)") }} as date
        )

),

followed as (

    select
        months.start_month,
        months.plan_id,
        months.month_number,
        months.account_id,
        1 as n,
        cast(not states.is_churned as integer) as hits,
        months.compared_date > months.known_until_date as is_open,
        months.mrr_start_usd is not null and states.mrr_usd is not null as is_mrr_known,
        months.mrr_start_usd,
        states.mrr_usd
    from months
    inner join states
        on
            months.account_id = states.account_id
            and months.compared_date between states.valid_from_date and states.valid_to_date

),

rates as (

    {{ clustered_rates('followed', ['start_month', 'plan_id', 'month_number']) }}

),

counted as (

    select
        start_month,
        plan_id,
        month_number,
        count(*) as accounts,
        bool_or(is_open) as is_open,
        cast(sum(hits) as bigint) as customers,
        cast(sum(mrr_start_usd) filter (where is_mrr_known) as double) as mrr_start_usd,
        cast(sum(least(mrr_start_usd, mrr_usd)) filter (where is_mrr_known) as double) as mrr_kept_usd,
        cast(sum(mrr_usd) filter (where is_mrr_known) as double) as mrr_usd
    from followed
    group by start_month, plan_id, month_number

),

final as (

    select
        -- ids
        counted.start_month,
        counted.plan_id,
        counted.month_number,

        -- customers
        counted.accounts,
        counted.is_open,
        case when not counted.is_open then counted.customers end as customers,
        case when not counted.is_open then rates.rate end as customer_retention,
        case when not counted.is_open then round(rates.ci_low, 9) end as ci_low,
        case when not counted.is_open then round(rates.ci_high, 9) end as ci_high,

        -- revenue
        case when not counted.is_open then counted.mrr_start_usd end as mrr_start_usd,
        case when not counted.is_open then counted.mrr_usd end as mrr_usd,
        case when not counted.is_open then counted.mrr_kept_usd / nullif(counted.mrr_start_usd, 0) end
            as gross_revenue_retention,
        case when not counted.is_open then counted.mrr_usd / nullif(counted.mrr_start_usd, 0) end
            as net_revenue_retention
    from counted
    left join rates
        on
            counted.start_month = rates.start_month
            and counted.plan_id = rates.plan_id
            and counted.month_number = rates.month_number

)

select * from final
