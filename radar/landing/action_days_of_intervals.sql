-- intermediate.int_action_days, renamed from a table of intervals of scored dates (first_date to as_of_date; of single
-- days where first_date is null), becomes a table of scored dates, and its episodes a table of their own.
alter table intermediate.int_action_days add column if not exists first_date date;

create table intermediate.int_action_days__dates as
select
    action_days.* exclude (first_date, as_of_date, last_open_on),
    dates.as_of_date,
    case when action_days.is_open then dates.as_of_date else action_days.last_open_on end as last_open_on
from intermediate.int_action_days as action_days
inner join (
    select as_of_date from marts.fct_health_history
    union
    select as_of_date from intermediate.int_action_days
) as dates
    on dates.as_of_date between coalesce(action_days.first_date, action_days.as_of_date) and action_days.as_of_date;

drop table intermediate.int_action_days;
alter table intermediate.int_action_days__dates rename to int_action_days;

create table intermediate.int_episode_days as
select
    action_id,
    account_id,
    as_of_date,
    play,
    trigger,
    is_open,
    episode_started_on,
    last_open_on
from intermediate.int_action_days;
