-- What did not pass, or cost rows, when each feed was last checked; the gravest first.
with

latest as (

    select
        feed,
        max(batch_id) as batch_id
    from audit.checks
    group by feed

),

failures as (

    select
        checks.feed,
        checks.check_name,
        checks.severity,
        checks.message,
        checks.success
    from audit.checks as checks
    inner join latest
        on checks.feed = latest.feed
        and checks.batch_id = latest.batch_id
    where not checks.success or checks.unexpected_count > 0

)

select
    feed,
    check_name,
    severity,
    message
from failures
order by
    success,
    case severity when 'critical' then 0 when 'warning' then 1 else 2 end,
    feed,
    check_name
