-- What every adapter may use. A value that a macro does not understand is given on as it is, so that landing refuses
-- it by name and shows it masked; none of them turns a bad value into an empty one.

-- A time as vendors write it: seconds, milliseconds or microseconds since 1970, else as it is (ISO 8601 and the like).
create or replace temp macro vendor_time(value) as
    case
        when regexp_full_match(value, '[0-9]{9,10}([.][0-9]+)?')
            then cast(make_timestamp(cast(round(cast(value as double) * 1000000) as bigint)) as varchar)
        when regexp_full_match(value, '[0-9]{12,13}') then cast(make_timestamp(cast(value as bigint) * 1000) as varchar)
        when regexp_full_match(value, '[0-9]{15,16}') then cast(make_timestamp(cast(value as bigint)) as varchar)
        else value
    end;

-- The same as a timestamp, empty where landing would refuse it: for comparing times with one another.
create or replace temp macro moment(value) as
    case
        when regexp_matches(vendor_time(value), ':.*[+-][0-9]{2}:?[0-9]{2}$')
            then try_cast(regexp_replace(vendor_time(value), '\s*[+-][0-9]{2}:?[0-9]{2}$', '') as timestamp)
            - to_minutes(
                cast(regexp_extract(vendor_time(value), '([+-][0-9]{2}):?[0-9]{2}$', 1) as integer) * 60
                + cast(
                    regexp_extract(vendor_time(value), '([+-])[0-9]{2}:?[0-9]{2}$', 1) || right(vendor_time(value), 2)
                    as integer
                )
            )
        else try_cast(vendor_time(value) as timestamp)
    end;

create or replace temp macro is_true(value) as
    coalesce(lower(trim(value)) in ('true', 't', 'yes', 'y', '1', '1.0'), false);

-- A number as a person or a spreadsheet writes it, without currency sign and group commas; else as it is.
create or replace temp macro plain_number(value) as
    case
        when regexp_full_match(value, '[^0-9.,()-]{0,4}[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?')
            then regexp_replace(value, '[^0-9.-]', '', 'g')
        when regexp_full_match(value, '[$€£¥]\s*[0-9]+([.][0-9]+)?') then regexp_replace(value, '[^0-9.]', '', 'g')
        else value
    end;

-- Cents to units. Which currencies have no smaller unit, or one of a thousandth, is Stripe's list
-- (https://docs.stripe.com/currencies#zero-decimal); Chargebee and others use the same.
create or replace temp macro minor_units(currency) as
    case
        when lower(currency) in (
            'bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf'
        ) then 1
        when lower(currency) in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 1000
        else 100
    end;

create or replace temp macro from_minor(value, currency) as
    case
        when try_cast(value as decimal(18, 6)) is null then value
        else cast(cast(cast(value as decimal(18, 6)) / minor_units(currency) as decimal(18, 6)) as varchar)
    end;

-- What an amount for so many intervals is a month: 365/12 days, 52/12 weeks.
create or replace temp macro months_of(unit, intervals) as
    coalesce(try_cast(intervals as double), 1) * case lower(trim(unit))
        when 'day' then 12.0 / 365
        when 'daily' then 12.0 / 365
        when 'week' then 12.0 / 52
        when 'weekly' then 12.0 / 52
        when 'month' then 1.0
        when 'monthly' then 1.0
        when 'quarter' then 3.0
        when 'quarterly' then 3.0
        when 'year' then 12.0
        when 'yearly' then 12.0
        when 'annual' then 12.0
        when 'annually' then 12.0
    end;

-- acme.com of ann@acme.com, https://www.acme.com/about or Acme.com; empty where there is no domain in it.
create or replace temp macro domain_of(value) as
    nullif(regexp_extract(
        lower(trim(value)), '^(?:[a-z]+://)?(?:[^/@\s]*@)?(?:www[.])?([^/@\s:?#]+[.][a-z0-9-]{2,})(?:[:/?#].*)?$', 1
    ), '');

-- An e-mail address as an account's id: a contact with this address, else its domain, says whose account it is. The
-- address is not written out, as ids are shown: its MD5 and its domain are. Who has the address can make the same.
create or replace temp macro mail_id(value) as
    case when contains(value, '@') then md5(lower(trim(value))) || '@' || domain_of(value) end;

-- The same, where the domain is a company's own: none of seeds/free_mail_domains.csv.
create or replace temp macro company_mail_id(value) as
    case when not is_free_mail(domain_of(value)) then mail_id(value) end;

-- The 18 characters of a Salesforce id, also where a report gives 15: three letters say which of the 15 are capitals.
create or replace temp macro salesforce_id(value) as
    case
        when regexp_full_match(value, '[A-Za-z0-9]{15}')
            then value || array_to_string(list_transform(
                [0, 1, 2],
                lambda part: substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1 + cast(list_sum(list_transform(
                    [0, 1, 2, 3, 4],
                    lambda place: case
                        when regexp_full_match(substr(value, part * 5 + place + 1, 1), '[A-Z]') then 1 << place
                        else 0
                    end
                )) as integer), 1)
            ), '')
        else value
    end;
