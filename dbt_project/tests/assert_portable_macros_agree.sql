-- Every macro of macros/portable/, with what it has to come to on each engine that the models run on.
{{ config(tags=['on_demand']) }}
with

given as (

    select
        cast('2026-02-27' as date) as february,
        cast('2026-03-02' as date) as march,
        cast(null as date) as no_day,
        cast(1 as bigint) as one_day,
        cast('2026-03-01 12:00:00.120' as timestamp) as noon,
        concat('e', chr(34), chr(92), '/ü') as signs,
        cast(null as {{ dbt.type_string() }}) as no_text,
        'e1' as text,
        concat('e', '1') as same_text,
        split('any it''s', ' ') as items

),

days as (

    select
        'each_day: first, last and how many' as label,
        {{ each_day('february', 'march') }} as day
    from given
    union all
    select
        'each_day: one' as label,
        {{ each_day('march', 'march') }} as day
    from given
    union all
    select
        'each_day: none where it ends before it begins' as label,
        {{ each_day('march', 'february') }} as day
    from given
    union all
    select
        'each_day: none without an end' as label,
        {{ each_day('march', 'no_day') }} as day
    from given

),

cases as (

    select
        label,
        concat_ws(' ', min(day), max(day), count(*)) as found,
        case label
            when 'each_day: first, last and how many' then '2026-02-27 2026-03-02 4'
            when 'each_day: one' then '2026-03-02 2026-03-02 1'
        end as expected
    from days
    group by label
    union all
    select
        'add_days: over the end of a month' as label,
        cast({{ add_days('february', 3) }} as {{ dbt.type_string() }}) as found,
        '2026-03-02' as expected
    from given
    union all
    select
        'add_days: back' as label,
        cast({{ add_days('march', -3) }} as {{ dbt.type_string() }}) as found,
        '2026-02-27' as expected
    from given
    union all
    select
        'add_days: by a column' as label,
        cast({{ add_days('march', 'one_day') }} as {{ dbt.type_string() }}) as found,
        '2026-03-03' as expected
    from given
    union all
    select
        'add_days: no day' as label,
        cast({{ add_days('no_day', 1) }} as {{ dbt.type_string() }}) as found,
        null as expected
    from given
    union all
    select
        'days_between: later' as label,
        cast({{ days_between('february', 'march') }} as {{ dbt.type_string() }}) as found,
        '3' as expected
    from given
    union all
    select
        'days_between: earlier' as label,
        cast({{ days_between('march', 'february') }} as {{ dbt.type_string() }}) as found,
        '-3' as expected
    from given
    union all
    select
        'days_between: no day' as label,
        cast({{ days_between('no_day', 'march') }} as {{ dbt.type_string() }}) as found,
        null as expected
    from given
    union all
    select
        'has_item: one of them' as label,
        cast({{ has_item('items', "it's") }} as {{ dbt.type_string() }}) as found,
        'true' as expected
    from given
    union all
    select
        'has_item: none of them' as label,
        cast({{ has_item('items', 'an') }} as {{ dbt.type_string() }}) as found,
        'false' as expected
    from given
    union all
    select
        'key_of_text: of one text the same' as label,
        cast({{ key_of_text('text') }} = {{ key_of_text('same_text') }} as {{ dbt.type_string() }}) as found,
        'true' as expected
    from given
    union all
    select
        'key_of_text: of another text another' as label,
        cast({{ key_of_text('text') }} = {{ key_of_text('signs') }} as {{ dbt.type_string() }}) as found,
        'false' as expected
    from given
    union all
    select
        'key_of_text: no text' as label,
        cast({{ key_of_text('no_text') }} as {{ dbt.type_string() }}) as found,
        null as expected
    from given
    union all
    select
        'passing_hash: of the same columns the same' as label,
        cast(
            {{ passing_hash(['text', 'march']) }} = {{ passing_hash(['same_text', 'march']) }}
            as {{ dbt.type_string() }}
        ) as found,
        'true' as expected
    from given
    union all
    select
        'passing_hash: of other columns another' as label,
        cast(
            {{ passing_hash(['text', 'march']) }} = {{ passing_hash(['text', 'february']) }}
            as {{ dbt.type_string() }}
        ) as found,
        'false' as expected
    from given
    union all
    select
        'json_text: signs, a time, nothing' as label,
        cast({{ json_text(['signs', 'noon', 'no_text']) }} as {{ dbt.type_string() }}) as found,
        concat('["e', chr(92), chr(34), chr(92), chr(92), '/ü","2026-03-01 12:00:00.12",null]') as expected
    from given

)

select * from cases
where found is distinct from expected
