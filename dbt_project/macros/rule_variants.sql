{#
    What the seeds say of a rule set's rules, as the rows of a VALUES list: one row per rule and segment that some rule of
    the set has a row of its own for, and one ('') for all other segments. Gives {columns, rows, positions (1 to the most
    conditions of a rule), templates (all sentences)}. Texts that hold nothing are null.
#}
{% macro rule_variants(rule_set, labels) %}
    {%- set counts = [0] -%}
    {%- set templates = [] -%}
    {%- set segments = [''] -%}
    {%- for rule in rule_set['rules'] -%}
        {%- for variant in rule['variants'] -%}
            {%- do counts.append(variant['conditions'] | length) -%}
            {%- do templates.append(variant['evidence'] or variant['title'] or variant['rule_id']) -%}
            {%- if variant['segment'] and variant['segment'] not in segments -%}
                {%- do segments.append(variant['segment']) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set positions = range(1, (counts | max) + 1) | list -%}
    {%- set columns = [
        'rule_number', 'spoken_segment', 'rule_id', 'flag', 'title', 'sentence', 'effect', 'renewal_factor',
        'renewal_within_days', 'renewal_known_words', 'renewal_unknown_words'
    ] -%}
    {%- for n in positions -%}
        {%- for name in ['signal', 'operator', 'limit', 'label', 'goal_words'] -%}
            {%- do columns.append(name ~ '_' ~ n) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set rows = [] -%}
    {%- for rule in rule_set['rules'] -%}
        {%- for segment in segments -%}
            {%- set spoken = namespace(variant=none) -%}
            {%- for variant in rule['variants'] -%}
                {%- if variant['segment'] == segment or (not variant['segment'] and not spoken.variant) -%}
                    {%- set spoken.variant = variant -%}
                {%- endif -%}
            {%- endfor -%}
            {%- if spoken.variant -%}
                {%- do rows.append(rule_variant_row(rule['rule_number'], segment, spoken.variant, positions, labels)) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {#- the first row gives columns their types -#}
    {%- set first = [] -%}
    {%- for column in columns if rows -%}
        {%- set cell = rows[0][loop.index0] -%}
        {%- set type = 'double' if column.startswith('limit') or column == 'renewal_factor'
            else 'integer' if column == 'renewal_within_days' else dbt.type_string() -%}
        {%- do first.append('cast(null as ' ~ type ~ ')' if cell == 'null' else cell) -%}
    {%- endfor -%}
    {%- do return({'columns': columns, 'rows': [first] + rows[1:], 'positions': positions, 'templates': templates}) -%}
{% endmacro %}
