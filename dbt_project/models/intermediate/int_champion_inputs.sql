-- Grain: one row per scored account and as_of_date of this build: what the champion's rules read, side by side.
-- Joined once, for the score and for its evidence; days of other builds are not held.
-- depends_on: {{ ref('rule_sets') }}
-- depends_on: {{ ref('rules') }}
-- depends_on: {{ ref('rule_conditions') }}
with

inputs as (

    {{ rule_inputs(champions()) }}

)

select * from inputs
where as_of_date between {{ as_of_start() }} and {{ as_of_end() }}
