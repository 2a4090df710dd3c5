-- Grain: one row per scored account and signal that speaks for a family (seeds/families.csv): its value on one day a
-- week, back from the newest as-of date, and on the day that it is compared with.
-- depends_on: {{ ref('families') }}
{% set headlines = seed_rows('select signal from seeds.families order by signal') -%}
with

weekly_values as (

    select
        account_id,
        signal,
        as_of_date,
        is_known,
        case when is_known then value end as value
    from {{ ref('fct_signal_values') }}
    where
        as_of_date between {{ add_days(as_of_end(), '-7 * ' ~ setting('family_weeks')) }} and {{ as_of_end() }}
        and date_diff('day', as_of_date, {{ as_of_end() }}) % 7 = 0
        and signal in (
            {% for row in headlines %}
            '{{ row['signal'] }}',
            {% endfor %}
            ''
        )

),

final as (

    select
        account_id,
        signal,
        bool_or(is_known) filter (where as_of_date = {{ as_of_end() }}) as is_known,
        max(value) filter (where as_of_date = {{ as_of_end() }}) as value,
        max(value) filter (
            where as_of_date = {{ add_days(as_of_end(), '-7 * ' ~ setting('family_change_weeks')) }}
        ) as value_before,
        list(value order by as_of_date) as weekly_values
    from weekly_values
    group by account_id, signal

)

select * from final
