-- Grain: one row per account and first day of an episode of which a message is in Slack's channel (account_id,
-- episode_started_on): the newest of those that a bot posted there by itself, for later messages to answer.
-- A digest is about several accounts, so it is no thread. A message that is in a thread has `<thread>/<ts>` as its id
-- in Slack: where a thread was deleted, the message that went to the channel instead is the next thread.
-- A view, so that it is the ledger's state when it is asked and not when it was built.
with

posted as (

    select
        actions.account_id,
        actions.episode_started_on,
        deliveries.remote_id,
        row_number() over (
            partition by actions.account_id, actions.episode_started_on
            order by deliveries.sequence desc
        ) as post_rank
    from {{ source('audit', 'deliveries') }} as deliveries
    inner join {{ ref('fct_actions') }} as actions
        on deliveries.action_id = actions.action_id
    where
        deliveries.carrier = 'slack_bot'
        and deliveries.status = 'delivered'
        and deliveries.message_key = deliveries.delivery_key
        and deliveries.remote_id not like '%/%'

),

final as (

    select
        account_id,
        episode_started_on,
        remote_id as slack_thread
    from posted
    where post_rank = 1

)

select * from final
