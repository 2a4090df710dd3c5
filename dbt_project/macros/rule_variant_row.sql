{#
    The cells of one row of `rule_variants`, as SQL. `effect` is null where it tells points; `label_n` is null for a signal
    that an earlier condition names; `goal_words_n` is null where the sentence itself says `limit {threshold_n}`.
#}
{% macro rule_variant_row(rule_number, segment, variant, positions, labels) %}
    {%- set template = variant['evidence'] or variant['title'] or variant['rule_id'] -%}
    {%- set capped = 'bucket no better than ' ~ variant['bucket'] -%}
    {%- set effect = none if variant['effect'] == 'points'
        else ' (flag ' ~ variant['flag'] ~ (', ' ~ capped if variant['bucket'] else '') ~ ')'
        if variant['effect'] == 'flag'
        else ' (' ~ capped ~ ')' if variant['effect'] == 'cap'
        else ' (for a person to look at)' -%}
    {%- set factor = variant['renewal_factor'] -%}
    {%- set texts = [
        segment, variant['rule_id'], variant['flag'] or none, variant['title'], template, effect
    ] -%}
    {%- set row = [rule_number | string] -%}
    {%- for text in texts -%}
        {%- do row.append('null' if text is none else quoted(text)) -%}
    {%- endfor -%}
    {%- if factor is none -%}
        {%- do row.extend(['null', 'null', 'null', 'null']) -%}
    {%- else -%}
        {%- do row.extend([
            factor | string,
            variant['renewal_within_days'] | string,
            quoted('; counts ' ~ '%g' | format(factor) ~ ' times: renewal in '),
            quoted(' if the renewal is within ' ~ variant['renewal_within_days'] ~ ' days, which is not known'),
        ]) -%}
    {%- endif -%}
    {%- set named = [] -%}
    {%- for n in positions -%}
        {%- if n <= variant['conditions'] | length -%}
            {%- set condition = variant['conditions'][n - 1] -%}
            {%- set label = labels[condition['signal']] -%}
            {%- set says_limit = 'limit {threshold_' ~ n ~ '}' in template -%}
            {%- do row.extend([
                quoted(condition['signal']),
                quoted(condition['operator']),
                condition['threshold'] | string,
                'null' if condition['signal'] in named else quoted(label),
                'null' if says_limit else quoted(' (own goal for ' ~ label ~ ': '),
            ]) -%}
            {%- do named.append(condition['signal']) -%}
        {%- else -%}
            {%- do row.extend(['null', 'null', 'null', 'null', 'null']) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(row) -%}
{% endmacro %}
