-- A role that only reads: the hub's proof of the books is run by it, and so may be
-- reports. It reads what there is and what later migrations of the same owner add;
-- rows that are shown to those alone whom they concern are hidden from it as from
-- anybody who does not say who asks.

-- +goose Up
-- +goose StatementBegin
do $$ begin
    -- Roles belong to the server, so another database may have made it just now.
    if not exists (select from pg_roles where rolname = 'hub_read') then
        create role hub_read nologin nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
exception when duplicate_object or unique_violation then null;
end $$;
-- +goose StatementEnd
-- +goose StatementBegin
do $$ declare s text; begin
    if not pg_has_role(current_user, 'hub_read', 'member') then
        execute format('grant hub_read to %I', current_user);
    end if;
    for s in select nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public') loop
        execute format('grant usage on schema %I to hub_read', s);
        execute format('grant select on all tables in schema %I to hub_read', s);
    end loop;
end $$;
-- +goose StatementEnd
alter default privileges grant usage on schemas to hub_read;
alter default privileges grant select on tables to hub_read;

-- +goose Down
alter default privileges revoke select on tables from hub_read;
alter default privileges revoke usage on schemas from hub_read;
-- +goose StatementBegin
do $$ declare s text; begin
    for s in select nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public') loop
        execute format('revoke all on all tables in schema %I from hub_read', s);
        execute format('revoke all on schema %I from hub_read', s);
    end loop;
end $$;
-- +goose StatementEnd
