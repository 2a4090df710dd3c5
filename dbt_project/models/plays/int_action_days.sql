-- Grain: one row per action and scored date on which its episode is open, and one for the date on which it has ended.
-- suppressed_by lists what stops the action on this date, but for cooldown and budget, which depend on releases;
-- of an episode that has ended, what did so on its last open date. mode_reason: why a person decides, from the first
-- such date of the episode to its end.
-- Earlier dates of an episode are read from the rows of the scored date before the build.
{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='append_new_columns') }}
with

scored_dates as (

    select * from {{ ref('int_scored_dates') }}

),

episode_days as (

    select * from {{ ref('int_episode_days') }}
    where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}

),

stops as (

    select
        episode_days.action_id,
        episode_days.as_of_date,
        string_agg(stop_reasons.reason, ', ' order by stop_reasons.position) as suppressed_by
    from episode_days
    inner join {{ ref('int_stop_reasons') }} as stop_reasons
        on
            episode_days.account_id = stop_reasons.account_id
            and episode_days.as_of_date = stop_reasons.as_of_date
            and coalesce(stop_reasons.play, episode_days.play) = episode_days.play
    where
        episode_days.is_open
        and stop_reasons.is_suppressing
    group by episode_days.action_id, episode_days.as_of_date

),

-- reasons for review are an account's, and each stays until the next
review_reasons as (

    select
        account_id,
        as_of_date as valid_from_date,
        lead(as_of_date, 1, date '9999-12-31') over (
            partition by account_id
            order by as_of_date
        ) as replaced_on_date,
        string_agg(review_text, '; ' order by position) as review_reason
    from {{ ref('int_stop_reasons') }}
    where review_text is not null
    group by account_id, as_of_date

),

days as (

    select
        episode_days.*,
        stops.suppressed_by,
        case
            when review_reasons.valid_from_date >= episode_days.episode_started_on then review_reasons.review_reason
        end as mode_reason,
        case when episode_days.is_open then states.arr_usd end as arr_usd
    from episode_days
    left join {{ ref('int_account_states') }} as states
        on
            episode_days.account_id = states.account_id
            and episode_days.as_of_date = states.as_of_date
    left join stops
        on
            episode_days.action_id = stops.action_id
            and episode_days.last_open_on = stops.as_of_date
    left join review_reasons
        on
            episode_days.account_id = review_reasons.account_id
            and episode_days.last_open_on >= review_reasons.valid_from_date
            and episode_days.last_open_on < review_reasons.replaced_on_date

),

{% if is_incremental() %}
earlier_days as (

    select earlier.*
    from {{ this }} as earlier
    inner join scored_dates
        on earlier.as_of_date = scored_dates.previous_date
    where
        earlier.is_open
        and earlier.as_of_date < {{ as_of_start() }}

),

carried as (

    select
        days.* replace (
            case
                when days.last_open_on = earlier_days.as_of_date then earlier_days.suppressed_by
                else days.suppressed_by
            end as suppressed_by,
            coalesce(days.mode_reason, earlier_days.mode_reason) as mode_reason
        )
    from days
    left join earlier_days
        on days.action_id = earlier_days.action_id

),

{% endif %}
final as (

    select
        -- ids
        action_id,
        account_id,
        as_of_date,
        play,
        trigger,

        -- state
        is_open,
        suppressed_by,
        mode_reason,
        arr_usd,

        -- dates
        episode_started_on,
        last_open_on
    from {{ 'carried' if is_incremental() else 'days' }}

)

select * from final
