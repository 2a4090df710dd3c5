{#
    The days of this build in pieces, a list of conditions on as_of_date. A model that joins many tables day by day sets
    `meta.is_chunked`: its rows are then made piece by piece, so that what a join holds in memory stays small however
    many days are filled at once. Only for models through which a condition on the day reaches what they read.
#}
{% macro window_chunks() %}
    {%- set window = as_of_window() -%}
    {%- set start = modules.datetime.date.fromisoformat(window['start']) -%}
    {%- set end = modules.datetime.date.fromisoformat(window['end']) -%}
    {%- set days = (end - start).days + 1 -%}
    {%- set size = 30 if config.get('meta', {}).get('is_chunked') else days -%}
    {%- set chunks = [] -%}
    {%- for offset in range(0, days, size) -%}
        {%- set first = start + modules.datetime.timedelta(offset) -%}
        {%- set last = [first + modules.datetime.timedelta(size - 1), end] | min -%}
        {%- do chunks.append("as_of_date between cast('" ~ first ~ "' as date) and cast('" ~ last ~ "' as date)") -%}
    {%- endfor -%}
    {%- do return(chunks) -%}
{% endmacro %}
