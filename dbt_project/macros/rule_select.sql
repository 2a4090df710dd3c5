{#
    The select of one row of seeds/rules.csv over `inputs`: the columns of the row, whether the rule is on, whether it
    fires (SQL's own logic: false where any condition is, else null where any is, else true), and what it read. A condition
    is null where its signal is unknown or null, unless the rule decides for that (when_null). A rank without a limit that
    day is false.
#}
{% macro rule_select(rule_set, rule) %}
    {%- set conditions = rule['conditions'] -%}
    {%- set signals = conditions | map(attribute='signal') | unique | list -%}
    -- {{ rule['rule_id'] }}{{ ', ' ~ rule['segment'] if rule['segment'] }}
    select
        account_id,
        as_of_date,
        {{ quoted(rule_set['rule_set']) }} as rule_set,
        {{ quoted(rule_set['status']) }} as rule_set_status,
        {{ quoted(rule_set['version']) }} as rule_version,
        {% for column in [
            'rule_number', 'rule_id', 'title', 'evidence', 'effect', 'points', 'per_unit', 'max_points', 'bucket', 'flag',
            'needs_review', 'renewal_within_days', 'renewal_factor'
        ] -%}
        {{ literal(rule[column]) }} as {{ column }},
        {% endfor -%}
        days_to_renewal,
        is_renewal_unknown,
        uses_{{ signals | join(' and uses_') }} as is_on,
        {% for condition in conditions -%}
        {%- set comparison = condition['signal'] ~ ' ' ~ condition['comparison'] ~ ' ' ~ rule_threshold(condition) -%}
        {%- if condition['is_rank'] -%}
            {%- set comparison = 'coalesce(' ~ comparison ~ ', case when ' ~ condition['signal'] ~ ' is not null then false end)' -%}
        {%- endif -%}
        {{ 'and ' if not loop.first }}{{ comparison if condition['when_null'] is none
            else 'coalesce(' ~ comparison ~ ', ' ~ literal(condition['when_null']) ~ ')' }}{{ ' as fires,' if loop.last }}
        {% endfor -%}
        {{ rule_sign_fits(rule, 'positive') }} as can_be_positive,
        {{ rule_sign_fits(rule, 'negative') }} as can_be_negative,
        [
            {%- for condition in conditions %}
            {
                'signal': {{ quoted(condition['signal']) }}, 'label': {{ quoted(condition['label']) }},
                'operator': {{ quoted(condition['comparison']) }},
                'value': cast({{ condition['signal'] }} as double), 'threshold': {{ rule_threshold(condition) }},
                'is_own_goal': goal_{{ condition['signal'] }} is not null
            }{{ ',' if not loop.last }}
            {%- endfor %}
        ] as readings,
        concat_ws(
            ', '
            {%- for condition in conditions | unique(attribute='signal') %},
            case when {{ condition['signal'] }} is null then {{ quoted(condition['label']) }} end
            {%- endfor %}
            {%- if rule['renewal_factor'] is not none %},
            case when is_renewal_unknown then {{ quoted(rule['renewal_label']) }} end
            {%- endif %}
        ) as missing_labels
    from inputs
    {%- if rule['segment'] %}
    where segment = {{ quoted(rule['segment']) }}
    {%- elif rule['other_segments'] %}
    where segment is null or segment not in ('{{ rule['other_segments'] | map('replace', "'", "''") | join("', '") }}')
    {%- endif %}
{% endmacro %}
