-- The panel's own SQLite file. Decisions are only ever added; the triggers refuse anything else.
create table if not exists decisions (
    sequence integer primary key autoincrement,
    decision_id text not null unique,
    form_token text not null unique,
    account_id text not null,
    as_of_date text not null,
    kind text not null check (
        kind in (
            'sign_off', 'spot_check', 'override', 'withdraw', 'snooze', 'wake', 'outcome', 'action', 'call', 'cover',
            'note', 'undo'
        )
    ),
    verdict text,
    bucket text,
    reason text,
    until_date text,
    action_id text,
    decided_by text not null,
    decided_at text not null,
    owner_id text,
    owner_name text,
    undoes text unique,
    edited_subject text,
    edited_text text,
    draft_text text
) strict;

create index if not exists decisions_by_account on decisions (account_id, sequence);

create index if not exists decisions_by_time on decisions (decided_at);

create trigger if not exists decisions_stay before update on decisions
begin select raise(abort, 'decisions are never changed'); end;

create trigger if not exists decisions_remain before delete on decisions
begin select raise(abort, 'decisions are never removed'); end;

-- Which account an id of another system is, where it may be several; the last choice for an id counts.
create table if not exists link_choices (
    sequence integer primary key autoincrement,
    form_token text not null unique,
    source text not null,
    source_account_id text not null,
    account_id text not null,
    reason text,
    decided_by text not null,
    decided_at text not null
) strict;

create trigger if not exists link_choices_stay before update on link_choices
begin select raise(abort, 'decisions are never changed'); end;

create trigger if not exists link_choices_remain before delete on link_choices
begin select raise(abort, 'decisions are never removed'); end;

-- What people decided about rule sets, and when the seeds came to name another champion rule set (kind seeds).
create table if not exists rule_set_decisions (
    sequence integer primary key autoincrement,
    decision_id text not null unique,
    kind text not null,
    rule_set text not null,
    rule_version text,
    champion text not null,
    proposed_by text,
    reason text,
    decided_by text not null,
    decided_at text not null
) strict;

create trigger if not exists rule_set_decisions_stay before update on rule_set_decisions
begin select raise(abort, 'decisions are never changed'); end;

create trigger if not exists rule_set_decisions_remain before delete on rule_set_decisions
begin select raise(abort, 'decisions are never removed'); end;

create table if not exists users (
    name text primary key,
    password_hash text,
    role text not null check (role in ('rep', 'lead', 'admin')),
    owner_ids text not null default '[]',
    is_disabled integer not null default 0,
    epoch integer not null default 1,
    created_at text not null,
    slack_user_id text
) strict;

create unique index if not exists users_by_slack on users (slack_user_id);

create table if not exists sessions (
    token_hash text primary key,
    user_name text not null,
    epoch integer not null,
    form_key text not null,
    created_at integer not null,
    used_at integer not null
) strict;

create table if not exists saved_views (
    user_name text not null,
    name text not null,
    address text not null,
    saved_at text not null,
    primary key (user_name, name)
) strict;

-- Accounts that a user wants to hear of, besides their own.
create table if not exists follows (
    user_name text not null,
    account_id text not null,
    followed_at text not null,
    primary key (user_name, account_id)
) strict;

-- Up to which decision a user has marked what others did as read.
create table if not exists seen_acts (
    user_name text primary key,
    sequence integer not null
) strict;

create table if not exists failed_sign_ins (
    key text not null,
    at integer not null
) strict;

create index if not exists failed_sign_ins_by_key on failed_sign_ins (key, at);

create table if not exists secrets (
    name text primary key,
    value text not null
) strict;

-- What programs come in with in a user's name: `radar mcp`. Of a token only its hash is here.
create table if not exists tokens (
    token_id text primary key,
    token_hash text not null unique,
    user_name text not null,
    epoch integer not null,
    created_at text not null,
    expires_at integer not null,
    revoked_at text
) strict;

-- What was asked with tokens. The next run makes an entry of the audit of each.
create table if not exists agent_calls (
    sequence integer primary key autoincrement,
    call_id text not null unique,
    token_id text not null,
    user_name text not null,
    tool text not null,
    arguments text not null,
    account_id text,
    as_of_date text,
    outcome text not null check (outcome in ('answered', 'refused', 'failed')),
    reason text,
    rows integer,
    called_at text not null
) strict;

create trigger if not exists agent_calls_stay before update on agent_calls
begin select raise(abort, 'calls of agents are never changed'); end;

create trigger if not exists agent_calls_remain before delete on agent_calls
begin select raise(abort, 'calls of agents are never removed'); end;

-- To whom names and texts of which account's people were shown, once a day. The next run makes an entry of the audit
-- of each.
create table if not exists contact_views (
    sequence integer primary key autoincrement,
    view_id text not null unique,
    user_name text not null,
    user_role text not null,
    account_id text not null,
    shown_on text not null,
    shown_at text not null,
    unique (user_name, account_id, shown_on)
) strict;

create trigger if not exists contact_views_stay before update on contact_views
begin select raise(abort, 'what was shown is never changed'); end;

create trigger if not exists contact_views_remain before delete on contact_views
begin select raise(abort, 'what was shown is never removed'); end;
