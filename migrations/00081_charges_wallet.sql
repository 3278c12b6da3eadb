-- Paying by mobile wallet: what owners of phones were asked to approve, and
-- refunds that go back to the phone that paid.

-- +goose Up
alter table charges.charge
    drop constraint charge_method_check,
    add constraint charge_method_check check (method in ('card', 'wallet', 'transfer', 'cash_on_delivery'));

-- Each time a wallet was asked for a charge: one that was refused may be
-- followed by another. The last one is the charge's own.
create table charges.wallet_request (
    charge      text not null references charges.charge,
    no          int not null check (no > 0),
    connector   text not null,
    ref         text not null,
    phone       text not null check (phone ~ '^\+212[67][0-9]{8}$'),
    refusal     text not null default '' check (refusal in ('', 'limit', 'funds', 'not_approved', 'no_wallet', 'refused')),
    paid        bool not null default false,  -- its money came, in time or not
    settled     bool not null default false,
    created_at  timestamptz not null,
    primary key (charge, no),
    unique (connector, ref),
    constraint wallet_request_settled check (paid or not settled)
);
grant select, insert, update on charges.wallet_request to hub_app;

alter table charges.refund
    add column source text not null default '',  -- the wallet's request that brought the money
    drop constraint refund_rail_check,
    add constraint refund_rail_check check (rail in ('card', 'wallet', 'transfer')),
    drop constraint refund_account,
    add constraint refund_account check (rail in ('card', 'wallet') or rib <> '' or state in ('awaiting_rib', 'rejected')),
    add constraint refund_source check (rail <> 'wallet' or source <> '');

-- +goose Down
alter table charges.refund
    drop constraint refund_source,
    drop constraint refund_account,
    add constraint refund_account check (rail = 'card' or rib <> '' or state in ('awaiting_rib', 'rejected')),
    drop constraint refund_rail_check,
    add constraint refund_rail_check check (rail in ('card', 'transfer')),
    drop column source;
drop table charges.wallet_request;
alter table charges.charge
    drop constraint charge_method_check,
    add constraint charge_method_check check (method in ('card', 'transfer', 'cash_on_delivery'));
