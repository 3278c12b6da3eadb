-- Days on which a seller is away, first and last included.

-- +goose Up
create table catalog.closure (
    id         text primary key,
    seller     text not null,
    first_day  date not null,
    last_day   date not null,
    reason     text not null default '',
    check (last_day >= first_day)
);
create index closure_seller on catalog.closure (seller, last_day);
grant select, insert, update, delete on catalog.closure to hub_app;

-- Two closures of a seller lie at least a day apart, so that the day after one is a
-- day on which it sells. The lock has writers of one seller take turns.
-- +goose StatementBegin
create function catalog.check_closure() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('catalog.closure ' || new.seller, 0));
    if exists (select from catalog.closure c where c.seller = new.seller and c.id <> new.id
            and c.first_day <= new.last_day + 1 and c.last_day >= new.first_day - 1) then
        raise exception 'closures of % touch', new.seller using errcode = 'exclusion_violation', constraint = 'closure_apart';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger closure_apart before insert or update on catalog.closure for each row execute function catalog.check_closure();

-- reopens is the day on which a seller that is closed on a day sells again.
-- +goose StatementBegin
create function catalog.reopens(seller text, day date) returns date language sql stable parallel safe as $$
    select c.last_day + 1 from catalog.closure c where c.seller = $1 and $2 between c.first_day and c.last_day
$$;
-- +goose StatementEnd

-- +goose Down
drop function catalog.reopens;
drop table catalog.closure;
drop function catalog.check_closure;
