-- A unit of work finds rows by their keys, so it keeps its plans: those for lists
-- of keys would otherwise be made anew at each execution.

-- +goose Up
-- enter starts a transaction: it says who is at work in it and gives the time.
-- +goose StatementBegin
create or replace function platform.enter(principal text) returns timestamptz language plpgsql volatile as $$
begin
    perform set_config('hub.principal', principal, true), set_config('plan_cache_mode', 'force_generic_plan', true);
    return platform.now();
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function platform.enter(principal text) returns timestamptz language plpgsql volatile as $$
begin
    perform set_config('hub.principal', principal, true);
    return platform.now();
end $$;
-- +goose StatementEnd
