-- A seller keeps goods at 50 places at most, and has 50 closures to come, so that
-- the lists of both are short. The lock has writers of one seller take turns.

-- +goose Up
-- +goose StatementBegin
create function catalog.check_place() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('catalog.place ' || new.seller, 0));
    if (select count(*) from (select from catalog.place p where p.seller = new.seller limit 50) x) >= 50 then
        raise exception '% has places enough', new.seller using errcode = 'check_violation', constraint = 'place_most';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger place_most before insert on catalog.place for each row execute function catalog.check_place();

-- +goose StatementBegin
create function catalog.check_closures() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('catalog.closure ' || new.seller, 0));
    if (select count(*) from (select from catalog.closure c
            where c.seller = new.seller and c.last_day >= catalog.today() limit 50) x) >= 50 then
        raise exception '% has closures enough', new.seller using errcode = 'check_violation', constraint = 'closure_most';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger closure_most before insert on catalog.closure for each row execute function catalog.check_closures();

-- +goose Down
drop trigger closure_most on catalog.closure;
drop function catalog.check_closures;
drop trigger place_most on catalog.place;
drop function catalog.check_place;
