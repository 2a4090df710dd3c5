-- Grain: one row per play with a holdout and account, from the scored date on which an episode of the play first began
-- for the account since the play has one. Written before anything is released, and never changed.
-- Stratified by segment and by whether the account is worth high_value_arr_usd: within a stratum of a play, accounts
-- take numbers in the order of dates, and of a hash of play and account on one date; of every hundred numbers
-- holdout_pct are in the holdout, at even distances from a start that is the stratum's own.
{{ config(incremental_strategy='append') }}
with

plays as (

    select * from {{ ref('int_play_holdouts') }}

),

entrants as (

    select
        episode_days.play,
        episode_days.account_id,
        min(episode_days.as_of_date) as as_of_date
    from {{ ref('int_episode_days') }} as episode_days
    inner join plays
        on episode_days.play = plays.play
    {% if is_incremental() %}
    left join {{ this }} as earlier
        on
            episode_days.play = earlier.play
            and episode_days.account_id = earlier.account_id
    {% endif %}
    where
        episode_days.is_open
        and episode_days.as_of_date = episode_days.episode_started_on
        and episode_days.as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
        {{ 'and earlier.play is null' if is_incremental() }}
    group by episode_days.play, episode_days.account_id

),

strata as (

    select
        entrants.*,
        plays.holdout_pct,
        coalesce(states.segment, 'no segment')
        || case when states.arr_usd >= {{ setting('high_value_arr_usd') }} then ', high value' else '' end as stratum
    from entrants
    inner join plays
        on entrants.play = plays.play
    inner join {{ ref('int_account_states') }} as states
        on
            entrants.account_id = states.account_id
            and entrants.as_of_date = states.as_of_date

),

earlier_numbers as (

    {% if is_incremental() %}
    select
        play,
        stratum,
        count(*) as numbers
    from {{ this }}
    group by play, stratum
    {% else %}
    select
        play,
        stratum,
        0 as numbers
    from strata
    where false
    {% endif %}

),

numbered as (

    select
        strata.*,
        coalesce(earlier_numbers.numbers, 0) + row_number() over (
            partition by strata.play, strata.stratum
            order by strata.as_of_date, md5(strata.play || '|' || strata.account_id)
        ) as stratum_number,
        cast('0x' || substr(md5(strata.play || '|' || strata.stratum), 1, 7) as bigint) % 100 as start_number
    from strata
    left join earlier_numbers
        on
            strata.play = earlier_numbers.play
            and strata.stratum = earlier_numbers.stratum

),

final as (

    select
        -- ids
        play,
        account_id,
        as_of_date,

        -- assignment
        stratum,
        stratum_number,
        holdout_pct,
        floor((stratum_number * holdout_pct + start_number) / 100)
        > floor(((stratum_number - 1) * holdout_pct + start_number) / 100) as is_holdout
    from numbered

)

select * from final
