-- Grain: one row per paying observation: every signal that has a better side, and what else the proposed rules read, in
-- the form of int_rule_inputs. A signal is null where it is unknown, or by its definition. Own goals are those of
-- signals that a rule in use reads: the published copy has no others.
with

observations as (

    select
        account_id,
        as_of_date
    from {{ ref('fct_observations') }}
    where left_out_because is null

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
        {{ signal['family'] }}.{{ signal['signal'] }},
        {%- endfor %}
        {%- for signal in var('rule_signals') %}
        {{ 'inputs.uses_' ~ signal if signal in var('read_signals') else 'true' }} as uses_{{ signal }},
        {{ 'inputs.goal_' ~ signal if signal in var('read_signals') else 'cast(null as double)' }} as goal_{{ signal }},
        {%- endfor %}
        {%- for rank in var('ranks') %}
        rank_limits.{{ rank }},
        {%- endfor %}
        inputs.days_to_renewal,
        inputs.is_renewal_unknown
    from {{ ref('int_rule_inputs') }} as inputs
    inner join observations
        on
            inputs.account_id = observations.account_id
            and inputs.as_of_date = observations.as_of_date
    {%- for family in var('signals') | map(attribute='family') | unique %}
    left join {{ ref('sig_' ~ family) }} as {{ family }}
        on
            inputs.account_id = {{ family }}.account_id
            and inputs.as_of_date = {{ family }}.as_of_date
    {%- endfor %}
    {%- if var('ranks') %}
    left join rank_limits
        on inputs.as_of_date = rank_limits.as_of_date
    {%- endif %}

)

select * from final
