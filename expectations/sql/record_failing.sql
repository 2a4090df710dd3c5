-- One line for every row that breaks rule number $number; a row that several refuse has one line, for the first of
-- them. A refused row neither waits nor loses a value.
-- row_key: of a row of a relation, its key in place of its number.
-- hygiene.nearest_words: which known word a value resembles, where the rule knows words.
insert into quarantine.{target} (
    feed, source_file, row_number, rule, column_name, masked_value, batch_id, message, rejected_at, row_key
)
select
    $feed,
    failing._source_file,
    failing._row_number,
    $rule,
    $column,
    left(cast(new_rows.{column} as varchar), 1)
    || '***(' || length(cast(new_rows.{column} as varchar)) || ')',
    failing._batch_id,
    $message || coalesce('; nearest known: ' || nearest.word, '') || case when refused.rules > 1 then ' (and ' || refused.rules - 1 || ' more in this row)' else '' end,
    $now,
    case when starts_with(failing._source_file, 'tables/') then {key} end
from hygiene.failing as failing
inner join raw.{table} as new_rows
    on failing._source_file = new_rows._source_file
    and failing._batch_id = new_rows._batch_id
    and failing._row_number = new_rows._row_number
left join hygiene.nearest_words as nearest
    on
        failing.number = nearest.number
        and cast(new_rows.{column} as varchar) = nearest.value
left join hygiene.refused as refused
    on failing._source_file = refused._source_file
    and failing._batch_id = refused._batch_id
    and failing._row_number = refused._row_number
where
    failing.number = $number
    and (refused._source_file is null or ($is_refusal and refused.number = failing.number))
