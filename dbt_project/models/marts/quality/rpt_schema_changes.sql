-- Grain: one row per feed, column and kind of change, over all files that landed or were refused for their columns.
-- A change is what was not so in the first files of the feed. Names and counts alone; values stay in quarantine.
with

findings as (

    select * from {{ ref('rpt_column_findings') }}

),

finding_batches as (

    select
        feed,
        column_name,
        finding,
        min(batch_id) as first_batch_id,
        max(batch_id) as batch_id
    from {{ source('audit', 'column_findings') }}
    group by feed, column_name, finding

),

loads as (

    select * from {{ source('audit', 'loads') }}

),

landed as (

    select
        feed,
        min(batch_id) as first_batch_id,
        max(batch_id) as batch_id
    from loads
    where status = 'landed'
    group by feed

),

missing as (

    select
        feed,
        source_file,
        batch_id,
        loaded_at,
        unnest(string_split(missing_columns, ', ')) as column_name
    from loads
    where status = 'refused'

),

refused as (

    select * from {{ ref('rpt_refused_rows') }}

),

changes as (

    select
        findings.feed,
        findings.column_name,
        case findings.finding
            when 'unknown' then 'new_column'
            when 'misnamed' then 'renamed_column'
            else 'missing_optional_column'
        end as change,
        findings.nearest_name,
        findings.source_file,
        findings.files,
        findings.is_in_newest_files,
        cast(null as bigint) as refused_values,
        finding_batches.first_batch_id,
        finding_batches.batch_id,
        findings.first_found_at,
        findings.last_found_at
    from findings
    inner join finding_batches
        on
            findings.feed = finding_batches.feed
            and findings.column_name = finding_batches.column_name
            and findings.finding = finding_batches.finding
    union all by name
    select
        feed,
        column_name,
        'missing_required_column' as change,
        max_by(source_file, (batch_id, source_file)) as source_file,
        count(*) as files,
        min(batch_id) as first_batch_id,
        max(batch_id) as batch_id,
        min(loaded_at) as first_found_at,
        max(loaded_at) as last_found_at
    from missing
    group by feed, column_name
    union all by name
    select
        feed,
        column_name,
        case rule when 'wrong_type' then 'changed_type' else 'new_value' end as change,
        max_by(source_file, (batch_id, source_file)) as source_file,
        count(distinct source_file) as files,
        cast(sum(refused_rows) as bigint) as refused_values,
        min(batch_id) as first_batch_id,
        max(batch_id) as batch_id,
        min(refused_at) as first_found_at,
        max(refused_at) as last_found_at
    from refused
    where rule in ('wrong_type', 'unknown_value') and column_name is not null
    group by feed, column_name, rule

),

final as (

    select
        changes.feed,
        changes.column_name,
        changes.change,
        case changes.change
            when 'missing_required_column' then 1
            when 'changed_type' then 2
            when 'renamed_column' then 3
            when 'missing_optional_column' then 4
            when 'new_value' then 5
            else 6
        end as attention_rank,
        changes.nearest_name,
        changes.source_file,
        changes.files,
        changes.refused_values,
        changes.batch_id,
        coalesce(changes.is_in_newest_files, changes.batch_id >= landed.batch_id, true) as is_current,
        changes.first_found_at,
        changes.last_found_at

    from changes
    left join landed
        on changes.feed = landed.feed
    where
        changes.change = 'missing_required_column'
        or changes.first_batch_id > landed.first_batch_id

)

select * from final
