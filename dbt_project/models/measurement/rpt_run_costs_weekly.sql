-- Grain: one row per week (its Monday, by the newest as-of date of a run) and metric: what runs cost. Measured with a
-- clock, so a run again has other figures: they are apart from those that the same facts make again. numerator is the
-- sum over the week's runs, denominator and n count the runs, value is the mean.
-- Of the run under way nothing is recorded yet: it is in the table after the next one.
with

runs as (

    select
        run_id,
        cast(date_trunc('week', as_of_end) as date) as week_start_date,
        epoch(finished_at) - epoch(started_at) as seconds,
        cpu_seconds
    from {{ source('audit', 'runs') }}
    where
        finished_at is not null
        and status in ('done', 'held')

),

loaded as (

    select
        run_id,
        sum(bytes) as bytes
    from {{ source('audit', 'loads') }}
    group by run_id

),

-- a call is noted before it is made, and what became of it after
calls as (

    select
        run_id,
        count(distinct message_key || ' ' || attempt) as calls
    from {{ source('audit', 'deliveries') }}
    where status = 'attempting'
    group by run_id

),

costs as (

    select
        runs.*,
        coalesce(loaded.bytes, 0) as bytes,
        coalesce(calls.calls, 0) as calls
    from runs
    left join loaded
        on runs.run_id = loaded.run_id
    left join calls
        on runs.run_id = calls.run_id

),

metrics as (

    {%- for metric, amount in [
        ('run_seconds', 'seconds'),
        ('run_cpu_seconds', 'cpu_seconds'),
        ('run_bytes_read', 'bytes'),
        ('run_api_calls', 'calls'),
        ('run_cost_usd', 'seconds / 3600 * ' ~ setting('run_hour_cents') ~ ' / 100'),
    ] %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    select
        week_start_date,
        '{{ metric }}' as metric,
        cast({{ amount }} as double) as amount
    from costs
    {%- endfor %}

),

final as (

    select
        week_start_date,
        metric,
        sum(amount) as numerator,
        cast(count(amount) as double) as denominator,
        avg(amount) as value,
        count(amount) as n
    from metrics
    group by week_start_date, metric

)

select * from final
