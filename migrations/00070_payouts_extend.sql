-- Payouts to carriers and insurers, by schedule, within daily limits, approved
-- for exactly what they are.

-- +goose Up
alter table payouts.payout
    -- seller, carrier or insurer: then the column seller holds its name.
    add column payee text not null default 'seller' check (payee in ('seller', 'carrier', 'insurer')),
    -- What the second person approved: the hash of amount, account and cover.
    add column approved_hash bytea not null default '',
    add column waits jsonb not null default '[]' check (jsonb_typeof(waits) = 'array'),
    -- The day whose limits it counts against, once it is approved.
    add column day date,
    -- It was refused, its money given back, and then the bank paid it: what of it
    -- was not there any more is owed.
    add column contradicted bool not null default false,
    add column owed bigint not null default 0 check (owed between 0 and amount),
    add constraint payout_owed check (contradicted or owed = 0);
create index payout_day on payouts.payout (day, payee, seller) where state not in ('draft', 'rejected');
create index payout_paid on payouts.payout (payee, seller, id) where state = 'paid' and payee <> 'seller';
-- What a refused payout covered is covered anew when the bank paid it after all.
grant delete on payouts.cover to hub_app;

-- Limits are dated: the newest that has begun counts. Amounts in centimes.
create table payouts.cap (
    id          text primary key,
    two_above   bigint not null check (two_above >= 0),   -- above it a second person decides
    member_day  bigint not null check (member_day >= 0),  -- paid to one member in a day
    total_day   bigint not null check (total_day >= member_day),
    debt_above  bigint not null check (debt_above >= 0),  -- who owes more is not paid
    asked_by    text not null,
    asked_at    timestamptz not null default platform.now(),
    since       timestamptz  -- null: it waits for a second person
);
create index cap_since on payouts.cap (since) where since is not null;
insert into payouts.cap (id, two_above, member_day, total_day, debt_above, asked_by, since)
    values ('first', 5000000, 20000000, 500000000, 100000, 'system hub', '2000-01-01');
grant select, insert, update (since) on payouts.cap to hub_app;

-- How often a member wants to be paid.
create table payouts.setting (
    payee       text not null check (payee in ('seller', 'carrier', 'insurer')),
    party       text not null,
    schedule    text not null check (schedule in ('manual', 'daily', 'weekly', 'monthly')),
    minimum     bigint not null check (minimum >= 0),
    changed_by  text not null,
    changed_at  timestamptz not null default platform.now(),
    primary key (payee, party)
);
grant select, insert, update on payouts.setting to hub_app;

-- An approval is for one amount, account and holder, and what has left the
-- draft never changes them.
-- +goose StatementBegin
create function payouts.bound() returns trigger language plpgsql as $$
begin
    if (new.amount, new.rib, new.holder, new.payee, new.seller, new.currency) is distinct from (old.amount, old.rib, old.holder, old.payee, old.seller, old.currency)
        and (old.state <> 'draft' or new.state <> 'draft' or new.approved_by <> '') then
        raise exception 'payout % was approved for something else', new.id using errcode = 'HB070';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger payout_bound before update on payouts.payout for each row execute function payouts.bound();

-- What is approved on a day stays within the day's limits, also of two hubs at
-- once.
-- +goose StatementBegin
create function payouts.within() returns trigger language plpgsql as $$
declare
    c payouts.cap;
    party bigint;
    whole bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('payouts of a day', 0));
    select * into c from payouts.cap where since <= platform.now() order by since desc, id desc limit 1;
    select coalesce(sum(amount) filter (where payee = new.payee and seller = new.seller), 0), coalesce(sum(amount), 0) into party, whole
        from payouts.payout where day = new.day and state not in ('draft', 'rejected') and id <> new.id;
    if party + new.amount > c.member_day or whole + new.amount > c.total_day then
        raise exception 'payout % is above the limits of %', new.id, new.day using errcode = 'HB071';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger payout_within before update on payouts.payout for each row
    when (old.state = 'draft' and new.state = 'approved') execute function payouts.within();

-- +goose Down
drop trigger payout_within on payouts.payout;
drop trigger payout_bound on payouts.payout;
drop function payouts.within();
drop function payouts.bound();
drop table payouts.setting;
drop table payouts.cap;
revoke delete on payouts.cover from hub_app;
alter table payouts.payout drop column payee, drop column approved_hash, drop column waits, drop column day, drop column contradicted, drop column owed;
