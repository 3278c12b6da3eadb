-- A draft of the charter that nobody goes on with is discarded: it stays, and changes no
-- more.

-- +goose Up
alter table charter.draft drop constraint draft_state_check,
    add constraint draft_state_check check (state in ('open', 'asked', 'published', 'discarded'));
-- +goose StatementBegin
create or replace function charter.draft_moves() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (('open', 'open'), ('open', 'asked'), ('asked', 'open'), ('asked', 'published'), ('open', 'discarded'), ('asked', 'discarded'))
        or new.state in ('published', 'discarded') and (new.since, new.last_day, new.texts, new.policy) is distinct from (old.since, old.last_day, old.texts, old.policy) then
        raise exception 'draft % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'draft_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function charter.draft_moves() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (('open', 'open'), ('open', 'asked'), ('asked', 'open'), ('asked', 'published'))
        or old.state = 'asked' and new.state = 'published' and (new.since, new.last_day, new.texts, new.policy) is distinct from (old.since, old.last_day, old.texts, old.policy) then
        raise exception 'draft % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'draft_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
drop trigger draft_moves on charter.draft;
update charter.draft set state = 'open' where state = 'discarded';
create trigger draft_moves before update on charter.draft for each row execute function charter.draft_moves();
alter table charter.draft drop constraint draft_state_check,
    add constraint draft_state_check check (state in ('open', 'asked', 'published'));
