-- Grain: one row per paying observation of the accounts that models are fitted to: every signal with a better side, as
-- the risk model reads it, with six decimals. It is null where it is unknown, or by its definition; is_known_<signal> tells these apart.
with

observations as (

    select
        observations.account_id,
        observations.as_of_date
    from {{ ref('fct_observations') }} as observations
    inner join {{ ref('fitted_accounts') }} as accounts
        on observations.account_id = accounts.account_id
    where observations.left_out_because is null

),

final as (

    select
        {%- for signal in var('signals') %}
        max(round(signal_values.value, 6)) filter (
            where signal_values.signal = '{{ signal }}' and signal_values.is_known
        ) as {{ signal }},
        coalesce(
            bool_or(signal_values.is_known) filter (where signal_values.signal = '{{ signal }}'), false
        ) as is_known_{{ signal }},
        {%- endfor %}
        observations.account_id,
        observations.as_of_date
    from observations
    left join {{ ref('fct_signal_values') }} as signal_values
        on
            observations.account_id = signal_values.account_id
            and observations.as_of_date = signal_values.as_of_date
    group by observations.account_id, observations.as_of_date

)

select * from final
