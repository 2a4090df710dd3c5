{#
    The rule sets that are scored, read from the seeds when dbt compiles, so that views have their rules in plain SQL: a
    list of rule sets, each with its `rules`, one per row of seeds/rules.csv. `status`: the sets of this status alone.
    Each rule has its `conditions` and, as `other_segments`, the segments that have a row of their own in its place.
    A condition has its `comparison` and its `limit`: for a rank (lowest, highest), <= or >= and a column of rule_inputs.
    `version` is a hash of the filled cells of the set's rows in rule_sets, rules and rule_conditions: same rows, same
    version, whatever the order of columns and whichever columns are left empty.
#}
{% macro scoring_rule_sets(status=none) %}
    {%- set signals = {} -%}
    {%- for signal in seed_rows("
        select signal, family, coalesce(label, replace(signal, '_', ' ')) as label, can_be_negative from seeds.signals
    ") -%}
        {%- do signals.update({signal['signal']: signal}) -%}
    {%- endfor -%}
    {%- set rule_sets = seed_rows(
        "select * from seeds.rule_sets where status in ('champion', 'shadow') and '" ~ var('rule_set') ~ "' in ('', rule_set)"
        ~ ' order by rule_set'
    ) -%}
    {%- set rules = seed_rows(
        "select * from seeds.rules where '" ~ var('rule_id') ~ "' in ('', rule_id)"
        ~ ' order by rule_set, rule_id, segment nulls first'
    ) -%}
    {%- set conditions = seed_rows(
        'select * from seeds.rule_conditions order by rule_set, rule_id, segment nulls first, position'
    ) -%}
    {%- for rule_set in rule_sets -%}
        {%- set rows = [filled_cells(rule_set)] -%}
        {%- set own_rules = rules | selectattr('rule_set', 'equalto', rule_set['rule_set']) | list -%}
        {%- set rule_ids = own_rules | map(attribute='rule_id') | unique | list -%}
        {%- for rule in own_rules -%}
            {%- set own_conditions = conditions | selectattr('rule_set', 'equalto', rule['rule_set'])
                | selectattr('rule_id', 'equalto', rule['rule_id'])
                | selectattr('segment', 'equalto', rule['segment']) | list -%}
            {%- do rows.append(filled_cells(rule)) -%}
            {%- for condition in own_conditions -%}
                {%- do rows.append(filled_cells(condition)) -%}
                {%- set rank = {'lowest': '<=', 'highest': '>='}.get(condition['operator']) -%}
                {%- do condition.update(signals.get(condition['signal'], {})) -%}
                {%- do condition.update({
                    'is_rank': rank is not none,
                    'comparison': rank or condition['operator'],
                    'limit': literal(condition['threshold']) if rank is none else
                        ['limit', condition['operator'], ('%g' | format(condition['threshold'])).replace('.', '_'),
                        condition['signal']] | join('_'),
                }) -%}
            {%- endfor -%}
            {%- do rule.update({
                'rule_number': rule_ids.index(rule['rule_id']) + 1,
                'conditions': own_conditions,
                'renewal_label': signals['days_to_renewal']['label'],
                'other_segments': [] if rule['segment'] else own_rules
                    | selectattr('rule_id', 'equalto', rule['rule_id']) | map(attribute='segment') | select | list,
            }) -%}
        {%- endfor -%}
        {%- do rule_set.update({'rules': own_rules, 'version': local_md5(rows | join('\n'))[:12]}) -%}
    {%- endfor -%}
    {%- set scored = rule_sets | selectattr('rules') | list -%}
    {%- do return(scored | selectattr('status', 'equalto', status) | list if status else scored) -%}
{% endmacro %}
