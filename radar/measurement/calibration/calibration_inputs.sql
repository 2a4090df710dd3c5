-- Grain: one row per paying observation: what the proposed rules read, in the form of int_rule_inputs. A signal is null
-- where it is unknown, or by its definition. Own goals are those of signals that a rule in use reads: the published
-- copy has no others.
with

observations as (

    select
        account_id,
        as_of_date
    from {{ ref('fct_observations') }}
    where left_out_because is null

),

signal_values as (

    select
        signal_values.account_id,
        signal_values.as_of_date,
        {%- for signal in var('signals') %}
        max(signal_values.value) filter (where signal_values.signal = '{{ signal }}' and signal_values.is_known)
            as {{ signal }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('fct_signal_values') }} as signal_values
    inner join observations
        on
            signal_values.account_id = observations.account_id
            and signal_values.as_of_date = observations.as_of_date
    where signal_values.signal in ('{{ var('signals') | join("', '") }}')
    group by signal_values.account_id, signal_values.as_of_date

),

{% if var('ranks') -%}
rank_limits as (

    pivot {{ ref('int_rank_limits') }}
    on rank_limit in ('{{ var('ranks') | join("', '") }}')
    using max(limit_value)
    group by as_of_date

),

{% endif -%}
final as (

    select
        inputs.account_id,
        inputs.as_of_date,
        inputs.segment,
        {%- for signal in var('signals') %}
        signal_values.{{ signal }},
        {{ 'inputs.uses_' ~ signal if signal in var('read_signals') else 'true' }} as uses_{{ signal }},
        {{ 'inputs.goal_' ~ signal if signal in var('read_signals') else 'cast(null as double)' }} as goal_{{ signal }},
        {%- endfor %}
        {%- for rank in var('ranks') %}
        rank_limits.{{ rank }},
        {%- endfor %}
        inputs.days_to_renewal,
        inputs.is_renewal_unknown
    from {{ ref('int_rule_inputs') }} as inputs
    inner join signal_values
        on
            inputs.account_id = signal_values.account_id
            and inputs.as_of_date = signal_values.as_of_date
    {%- if var('ranks') %}
    left join rank_limits
        on inputs.as_of_date = rank_limits.as_of_date
    {%- endif %}

)

select * from final
