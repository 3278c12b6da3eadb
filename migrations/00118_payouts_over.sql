-- What is above the limits of a day is worked out once for all payouts that are
-- approved together, not once for each.

-- +goose Up
-- +goose StatementBegin
create or replace function payouts.within() returns trigger language plpgsql set enable_seqscan = off set jit = off as $$
declare
    c payouts.cap;
    bad record;
begin
    if not exists (select from fresh n join former o on o.id = n.id where o.state = 'draft' and n.state = 'approved') then
        return null;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('payouts of a day', 0));
    select * into c from payouts.cap where since <= platform.now() order by since desc, id desc limit 1;
    with gone as materialized (
        select n.id, n.day, n.payee, n.seller from fresh n join former o on o.id = n.id where o.state = 'draft' and n.state = 'approved'
    ), over as materialized (
        select d.day, null::text as payee, null::text as seller from (select distinct day from gone) d
            where (select sum(p.amount) from payouts.payout p where p.day = d.day and p.state not in ('draft', 'rejected')) > c.total_day
        union all
        select d.day, d.payee, d.seller from (select distinct day, payee, seller from gone) d
            where (select sum(p.amount) from payouts.payout p
                where p.day = d.day and p.payee = d.payee and p.seller = d.seller and p.state not in ('draft', 'rejected')) > c.member_day
    )
    select g.id, g.day into bad from gone g
        where g.day is null or exists (select from over o where o.day = g.day and (o.payee is null or (o.payee, o.seller) = (g.payee, g.seller))) limit 1;
    if found then
        raise exception 'payout % is above the limits of %', bad.id, bad.day using errcode = 'HB071';
    end if;
    return null;
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function payouts.within() returns trigger language plpgsql set enable_seqscan = off set jit = off as $$
declare
    c payouts.cap;
    bad record;
begin
    if not exists (select from fresh n join former o on o.id = n.id where o.state = 'draft' and n.state = 'approved') then
        return null;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('payouts of a day', 0));
    select * into c from payouts.cap where since <= platform.now() order by since desc, id desc limit 1;
    with gone as materialized (
        select n.id, n.day, n.payee, n.seller from fresh n join former o on o.id = n.id where o.state = 'draft' and n.state = 'approved'
    ), over as (
        select d.day, null::text as payee, null::text as seller from (select distinct day from gone) d
            where (select sum(p.amount) from payouts.payout p where p.day = d.day and p.state not in ('draft', 'rejected')) > c.total_day
        union all
        select d.day, d.payee, d.seller from (select distinct day, payee, seller from gone) d
            where (select sum(p.amount) from payouts.payout p
                where p.day = d.day and p.payee = d.payee and p.seller = d.seller and p.state not in ('draft', 'rejected')) > c.member_day
    )
    select g.id, g.day into bad from gone g
        where g.day is null or exists (select from over o where o.day = g.day and (o.payee is null or (o.payee, o.seller) = (g.payee, g.seller))) limit 1;
    if found then
        raise exception 'payout % is above the limits of %', bad.id, bad.day using errcode = 'HB071';
    end if;
    return null;
end $$;
-- +goose StatementEnd
