-- Grain: one row per account and day on which something changes that a signal of seeds/signals.csv counts. The sum of a
-- column up to a day is what counts then, the greatest `last_date__<measure>` the last day of such an event; windows
-- are made of these in int_account_activity__as_of. Guarantees a row of the first day that windows see, per account.
-- What can only be counted distinct enters (1) on a day before which it was not seen for the length of its window, and
-- leaves (-1) a window after it was last seen.
-- depends_on: {{ ref('signals') }}
{% set signals = event_signals() -%}
{% set measures = signals | map(attribute='measure') | unique | list -%}
{% set dated = signals | selectattr('aggregate', 'equalto', 'days_since') | map(attribute='measure') | unique | list -%}
{% set distinct_counts = {} -%}
{% set days_read = [1] -%}
{% for signal in signals -%}
    {% if signal['aggregate'] in ['users', 'names'] -%}
        {% do distinct_counts.update({signal['series']: signal}) -%}
    {% elif signal['window_days'] -%}
        {# a change in percent also reads the window before -#}
        {% do days_read.append(signal['window_days'] * (2 if signal['aggregate'] == 'change_pct' else 1)) -%}
    {% endif -%}
{% endfor -%}
{% set first_day = add_days(signals_start(), 1 - days_read | max) -%}
{# the columns of `changes`: of an event; of the last day before the first; of what is counted distinct -#}
{% set happened, last_days = {}, {} -%}
{% for measure in measures -%}
    {% do happened.update({'events__' ~ measure: 'case when is_' ~ measure ~ ' then cast(events as double) else 0 end'}) -%}
    {% do happened.update({'last_date__' ~ measure: 'case when is_' ~ measure ~ ' then activity_date end'}) -%}
{% endfor -%}
{% for name in dated -%}{% do last_days.update({'last_date__' ~ name: 'case when is_' ~ name ~ ' then day end'}) -%}{% endfor -%}
{% set columns = happened.keys() | list + distinct_counts.keys() | list + ['milestones__milestone'] -%}
with

event_names as (

    select
        event_name,
        product_event,
        milestone,
        {% for measure in measures %}
        {{ has_item('measures', measure) }} as is_{{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_event_meanings') }}

),

{% for series, signal in distinct_counts.items() %}
{% set counted = 'user_id' if signal['aggregate'] == 'users' else 'product_event' -%}
{{ series }} as (

    select
        account_number,
        activity_date,
        coalesce(
            lag(activity_date) over days_seen < {{ add_days('activity_date', 0 - signal['window_days']) }}, true
        ) as is_entering,
        coalesce(
            lead(activity_date) over days_seen > {{ add_days('activity_date', signal['window_days']) }}, true
        ) as is_leaving
    from {{ ref('int_counted_user_days') }}
    inner join event_names using (event_name)
    where
        is_{{ signal['measure'] }}
        and {{ counted }} is not null
        and activity_date between {{ add_days(signals_start(), 1 - signal['window_days']) }} and {{ as_of_end() }}
    window days_seen as (partition by account_number, {{ counted }} order by activity_date nulls last)

),

{% endfor -%}
event_bounds as (

    select * from {{ ref('int_counted_event_bounds') }}
    inner join event_names using (event_name)

),

-- the last day of a name by the first as-of date; where it happened since, the kept days are read
last_days_before as (

    select
        *,
        case when last_date <= {{ signals_start() }} then last_date else last_purged_date end as day
    from event_bounds
    where {% for measure in dated %}is_{{ measure }}{{ ' or ' if not loop.last }}{% endfor %}
    union all
    select
        event_bounds.*,
        kept.activity_date as day
    from event_bounds
    inner join {{ ref('int_counted_user_days') }} as kept
        on
            event_bounds.account_id = kept.account_id
            and event_bounds.event_name = kept.event_name
    where
        kept.activity_date <= {{ signals_start() }}
        and event_bounds.last_date > {{ signals_start() }}
        and ({% for measure in dated %}event_bounds.is_{{ measure }}{{ ' or ' if not loop.last }}{% endfor %})

),

-- numbers are DOUBLE, exact for whole numbers up to 2^53: summing those takes a third less time
changes as (

    select account_number, activity_date as change_date, {{- union_columns(columns, happened) }}
    from {{ ref('int_counted_user_days') }}
    inner join event_names using (event_name)
    where activity_date between {{ first_day }} and {{ as_of_end() }}
    {% for series, signal in distinct_counts.items() %}
    union all
    select account_number, activity_date as change_date, {{- union_columns(columns, {series: 'cast(1 as double)'}) }}
    from {{ series }} where is_entering
    union all
    select account_number, {{ add_days('activity_date', signal['window_days']) }} as change_date,
        {{- union_columns(columns, {series: 'cast(-1 as double)'}) }}
    from {{ series }} where is_leaving
    {% endfor %}
    union all
    select account_number, {{ signals_start() }} as change_date, {{- union_columns(columns, last_days) }}
    from last_days_before where day is not null
    union all
    select account_number, min(first_date) as change_date,
        {{- union_columns(columns, {'milestones__milestone': 'cast(1 as double)'}) }}
    from event_bounds where milestone is not null group by account_number, milestone
    union all
    select distinct account_number, {{ first_day }} as change_date, {{- union_columns(columns, {}) }}
    from {{ ref('int_activity_accounts') }}

),

final as (

    select
        account_number,
        {% for series in signals | map(attribute='series') | unique %}
        {% set kind, measure = series.split('__') -%}
        {% if kind == 'last_date' -%}
        max({{ series }}) as {{ series }},
        {%- elif kind == 'days' -%}
        case when sum(events__{{ measure }}) > 0 then cast(1 as double) else 0 end as {{ series }},
        {%- else -%}
        coalesce(sum({{ series }}), 0) as {{ series }},
        {%- endif %}
        {% endfor %}
        greatest(change_date, {{ first_day }}) as change_date
    from changes
    where change_date <= {{ as_of_end() }}
    group by account_number, greatest(change_date, {{ first_day }})

)

select * from final
