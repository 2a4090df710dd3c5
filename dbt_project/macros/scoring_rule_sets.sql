{#
    The rule sets in use (the champion, and shadows that have rules; var `rule_set` names one alone) as the seeds hold
    them: a list of
    {rule_set, status, base_score, watch_from, healthy_from, version, rules}, each rule
    {rule_id, rule_number, variants, has_weight}, each variant (the general row or one of a segment) with its conditions.
    The version is a hash of the filled cells of the set's rows in rule_sets, rules and rule_conditions: same rows,
    same version, whatever the order of columns and whichever columns are left empty.
    The seeds are read while the scoring views are written, so a view says its rules in plain SQL.
#}
{% macro scoring_rule_sets() %}
    {%- set rule_sets = seed_rows(
        "select * from seeds.rule_sets where status <> 'retired' and '" ~ var('rule_set') ~ "' in ('', rule_set) "
        ~ 'order by rule_set'
    ) -%}
    {%- set rules = seed_rows('select * from seeds.rules order by rule_set, rule_id, segment nulls first') -%}
    {%- set conditions = seed_rows(
        'select * from seeds.rule_conditions order by rule_set, rule_id, segment nulls first, position'
    ) -%}
    {%- set negative_signals = seed_rows('select signal from seeds.signals where can_be_negative')
        | map(attribute='signal') | list -%}
    {%- for rule_set in rule_sets -%}
        {%- set rows = [filled_cells(rule_set)] -%}
        {%- set found = {} -%}
        {%- for rule in rules if rule['rule_set'] == rule_set['rule_set'] -%}
            {%- do rows.append(filled_cells(rule)) -%}
            {%- set own_conditions = [] -%}
            {%- for condition in conditions
                if condition['rule_set'] == rule['rule_set']
                and condition['rule_id'] == rule['rule_id']
                and condition['segment'] == rule['segment'] -%}
                {%- do rows.append(filled_cells(condition)) -%}
                {%- do own_conditions.append(condition) -%}
            {%- endfor -%}
            {%- do rule.update({
                'conditions': own_conditions,
                'can_be_negative': own_conditions and own_conditions[0]['signal'] in negative_signals,
            }) -%}
            {%- do found.setdefault(rule['rule_id'], []).append(rule) -%}
        {%- endfor -%}
        {%- set listed = [] -%}
        {%- for rule_id, variants in found.items() -%}
            {%- do listed.append({
                'rule_id': rule_id,
                'rule_number': loop.index,
                'variants': variants,
                'has_weight': variants | rejectattr('renewal_factor', 'none') | list | length > 0,
            }) -%}
        {%- endfor -%}
        {%- do rule_set.update({'rules': listed, 'version': local_md5(rows | join('\n'))[:12]}) -%}
    {%- endfor -%}
    {%- do return(rule_sets | selectattr('rules') | list) -%}
{% endmacro %}
