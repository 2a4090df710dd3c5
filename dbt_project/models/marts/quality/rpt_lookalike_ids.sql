-- Grain: one row per feed, column of ids and column that it is compared with: itself, where one id is in it in several
-- spellings; else the key of another feed, where that has an id in another spelling alone.
-- Of 00123, 123 and 123.0 a spreadsheet or a program may have made one id three. Nothing is joined by it.
with

spellings as (

    select * from {{ ref('int_digit_ids') }}

),

keys as (

    select * from spellings
    where is_key

),

named as (

    select
        spellings.feed,
        spellings.column_name,
        keys.feed as other_feed,
        keys.column_name as other_column_name,
        spellings.plain_id,
        spellings.id,
        spellings.id_rows,
        min(keys.id) as key_id,
        bool_or(spellings.id = keys.id) as is_key_id
    from spellings
    inner join keys
        on
            spellings.ids_of = keys.ids_of
            and spellings.plain_id = keys.plain_id
            and (keys.source is null or spellings.source = keys.source)
    where not spellings.is_key
    group by all

),

lookalikes as (

    select
        feed,
        column_name,
        other_feed,
        other_column_name,
        plain_id,
        id_rows,
        id || ' and ' || key_id as spelled
    from named
    where not is_key_id
    union all
    select
        feed,
        column_name,
        feed as other_feed,
        column_name as other_column_name,
        plain_id,
        sum(id_rows) as id_rows,
        string_agg(id, ' and ' order by id) as spelled
    from spellings
    where (feed, column_name, plain_id) not in (select (named.feed, named.column_name, named.plain_id) from named)
    group by feed, column_name, source, plain_id
    having count(*) > 1

),

ranked as (

    select
        *,
        row_number() over (
            partition by feed, column_name, other_feed, other_column_name
            order by id_rows desc, spelled asc
        ) as size_rank
    from lookalikes

),

final as (

    select
        feed,
        column_name,
        other_feed,
        other_column_name,
        count(distinct plain_id) as ids,
        cast(sum(id_rows) as bigint) as id_rows,
        string_agg(spelled, ', ' order by size_rank) filter (where size_rank <= 3) as examples,
        case
            when feed = other_feed and column_name = other_column_name
                then
                    'where they are one id, send it as text, with the zeros that it begins with and without .0, and'
                    || ' mark as deleted what came under another spelling'
            when column_name = 'account_id' and feed != 'crm/identities'
                then
                    'where they are one id, send it in ' || feed || ' as text, spelled as in ' || other_feed
                    || '; or say in crm/identities whose it is'
            else 'where they are one id, send it in ' || feed || ' as text, spelled as in ' || other_feed
        end as what_to_do
    from ranked
    group by feed, column_name, other_feed, other_column_name

)

select * from final
