-- Grain: one row per feed, file, batch, rule, column and whether the row or only a value was refused.
-- Counts alone: what was in the rows stays in quarantine, which readers do not get.
with

refused as (

    select
        'row' as refused,
        feed,
        source_file,
        batch_id,
        rule,
        column_name,
        row_number,
        rejected_at
    from {{ source('quarantine', 'rejected_rows') }}
    union all
    select
        'value' as refused,
        feed,
        source_file,
        batch_id,
        rule,
        column_name,
        row_number,
        rejected_at
    from {{ source('quarantine', 'rejected_values') }}

),

final as (

    select
        feed,
        source_file,
        batch_id,
        rule,
        column_name,
        refused,
        count(*) as refused_rows,
        min(row_number) as first_row_number,
        max(rejected_at) as refused_at
    from refused
    group by feed, source_file, batch_id, rule, column_name, refused

)

select * from final
