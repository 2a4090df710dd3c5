{#
    The signals of seeds/signals.csv that count product events, as a list of dictionaries with the cells that define
    them. `series`: the column of int_activity_changes that the value is made of; signals that count the same share it.
    `value`: what a table of signals selects; where an account never had such an event, days count from the day on which
    it was created. `family`: those of one family alone.
#}
{% macro event_signals(family=none) %}
    {%- set kinds = {
        'events': 'events', 'change_pct': 'events', 'active_days': 'days', 'users': 'users', 'names': 'names',
        'milestones': 'milestones', 'days_since': 'last_date',
    } -%}
    {%- set signals = [] -%}
    {%- for row in seed_rows(
        'select signal, family, measure, aggregate, window_days from seeds.signals'
        ~ ' where measure is not null order by signal'
    ) if family in (none, row['family']) -%}
        {%- set window_days = row['window_days'] | int -%}
        {%- set suffix = '_' ~ window_days ~ 'd' if row['aggregate'] in ['users', 'names'] else '' -%}
        {%- set series = kinds[row['aggregate']] ~ '__' ~ row['measure'] ~ suffix -%}
        {%- set value = 'activity.' ~ row['signal'] if row['aggregate'] != 'days_since'
            else days_between('coalesce(activity.' ~ series ~ ', accounts.created_date)', 'accounts.as_of_date') -%}
        {%- do signals.append(dict(row, window_days=window_days, series=series, value=value)) -%}
    {%- endfor -%}
    {%- do return(signals) -%}
{% endmacro %}
