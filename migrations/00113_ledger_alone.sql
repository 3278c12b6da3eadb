-- What each person has moved by hand on a day without a second one: the limit
-- holds over all requests of the day, also of two at once.

-- +goose Up
create table ledger.alone (
    person    text not null check (person <> ''),
    day       date not null,
    centimes  bigint not null,
    primary key (person, day),
    constraint alone_limit check (centimes between 1 and 1000000)
) with (fillfactor = 50);
grant select, insert, update (centimes) on ledger.alone to hub_app;

-- +goose StatementBegin
create function ledger.alone_grows() returns trigger language plpgsql as $$
begin
    raise exception 'what a person has moved on a day does not shrink' using errcode = 'HB001';
end $$;
-- +goose StatementEnd
create trigger alone_grows before update on ledger.alone
    for each row when (new.centimes < old.centimes) execute function ledger.alone_grows();

-- +goose StatementBegin
create function ledger.today() returns date language sql stable as $$
    select (platform.now() at time zone 'Africa/Casablanca')::date
$$;
-- +goose StatementEnd

-- +goose Down
drop table ledger.alone;
drop function ledger.alone_grows();
drop function ledger.today();
