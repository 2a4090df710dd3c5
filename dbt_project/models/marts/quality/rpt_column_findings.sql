-- Grain: one row per feed, column and finding, over all files that have landed.
-- Names alone, masked where they may be a value; an unknown column is read by nothing.
with

findings as (

    select * from {{ source('audit', 'column_findings') }}

),

loads as (

    select
        feed,
        batch_id,
        columns
    from {{ source('audit', 'loads') }}
    where status = 'landed'

),

newest_batches as (

    select
        feed,
        max(batch_id) as batch_id
    from loads
    group by feed

),

-- of columns that were gone: the last batch with a file that has them
returned as (

    select
        findings.feed,
        findings.column_name,
        max(loads.batch_id) as batch_id
    from findings
    inner join loads
        on
            findings.feed = loads.feed
            and loads.columns like '%"' || findings.column_name || '":%'
    where findings.finding = 'gone'
    group by findings.feed, findings.column_name

),

summed as (

    select
        feed,
        column_name,
        finding,
        min(found_at) as first_found_at,
        max(found_at) as last_found_at,
        cast(sum(files) as bigint) as files,
        max(batch_id) as batch_id
    from findings
    group by feed, column_name, finding

),

final as (

    select
        -- ids
        summed.feed,
        summed.column_name,
        summed.finding,
        case summed.finding when 'misnamed' then 1 when 'gone' then 2 else 3 end as attention_rank,

        -- where and what
        findings.nearest_name,
        findings.source_file,
        summed.files,
        coalesce(
            case
                when summed.finding = 'gone' then summed.batch_id >= returned.batch_id
                else summed.batch_id = newest_batches.batch_id
            end,
            true
        ) as is_in_newest_files,

        -- dates
        summed.first_found_at,
        summed.last_found_at

    from summed
    inner join findings
        on
            summed.feed = findings.feed
            and summed.column_name = findings.column_name
            and summed.finding = findings.finding
            and summed.batch_id = findings.batch_id
    left join newest_batches
        on summed.feed = newest_batches.feed
    left join returned
        on
            summed.feed = returned.feed
            and summed.column_name = returned.column_name

)

select * from final
