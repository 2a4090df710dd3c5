-- Grain: one row per ticket or survey comment that names a competitor, of the days that this build's windows see.
-- A text that names several counts once.
-- depends_on: {{ ref('competitors') }}
{% set names = [] -%}
{% for row in seed_rows('select lower(name) as name from seeds.competitors order by name') -%}
    {% do names.append(modules.re.escape(row['name'])) -%}
{% endfor -%}
{# no letter, digit or underscore next to it; one constant pattern: a pattern per row would be compiled per row -#}
{% set whole_word = '(^|[^\\p{L}\\p{M}\\p{N}_])(' ~ names | join('|') ~ ')($|[^\\p{L}\\p{M}\\p{N}_])' -%}
with

texts as (

    select
        account_id,
        'ticket ' || ticket_id as text_id,
        opened_date as mentioned_date,
        deleted_date,
        lower(coalesce(subject, '') || chr(10) || coalesce(body, '')) as text
    from {{ ref('int_tickets') }}
    union all
    select
        account_id,
        'survey ' || response_id as text_id,
        cast(responded_at as date) as mentioned_date,
        cast(null as date) as deleted_date,
        lower(comment) as text
    from {{ ref('stg_feedback__surveys') }}

),

final as (

    select
        account_id,
        text_id,
        mentioned_date,
        deleted_date
    from texts
    where
        mentioned_date between {{ add_days(signals_start(), -29) }} and {{ as_of_end() }}
        and {{ 'regexp_matches(text, ' ~ quoted(whole_word) ~ ')' if names else 'false' }}

)

select * from final
