-- What a seller and a buyer agreed on before the buyer orders: some articles, so
-- many of each at so much, and perhaps how they are brought, until then. One
-- order uses it; while it does, nobody else can.

-- +goose Up
create schema agreements;
grant usage on schema agreements to hub_app;

create table agreements.agreement (
    id          text primary key,
    kind        text not null check (kind ~ '^[a-z_]{2,30}$'),
    source      text not null check (source <> ''),  -- what it came of
    seller      text not null check (seller <> ''),
    buyer       text not null check (buyer <> ''),
    state       text not null default 'open' check (state in ('open', 'used', 'ended')),
    order_id    text not null default '',  -- that uses it
    delivery    jsonb,                     -- null: as any parcel of the seller
    until       timestamptz not null,
    made_at     timestamptz not null default platform.now(),
    version     int not null default 1,
    constraint agreement_use check ((state = 'used') = (order_id <> '')),
    constraint agreement_until check (until > made_at)
);
create unique index agreement_source on agreements.agreement (kind, source);
create index agreement_order on agreements.agreement (order_id) where order_id <> '';
create index on agreements.agreement (seller, id);
create index on agreements.agreement (buyer, id);
grant select, insert, update (state, order_id, version) on agreements.agreement to hub_app;

-- price is of each, in centimes.
create table agreements.line (
    agreement  text not null references agreements.agreement,
    variant    text not null,
    least      int not null check (least between 1 and 999),
    most       int not null check (most between least and 999),
    price      bigint not null check (price between 1 and 100000000),
    primary key (agreement, variant)
);
grant select, insert on agreements.line to hub_app;

-- What has ended stays so.
-- +goose StatementBegin
create function agreements.stay_ended() returns trigger language plpgsql as $$
begin
    if old.state = 'ended' then
        raise exception 'agreement % has ended', old.id using errcode = 'check_violation';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger agreement_stays_ended before update on agreements.agreement for each row execute function agreements.stay_ended();

-- +goose Down
drop schema agreements cascade;
