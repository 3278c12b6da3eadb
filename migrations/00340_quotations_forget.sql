-- A buyer who is forgotten takes its words away; who asked whom for what stays.

-- +goose Up
grant update (text, files) on quotations.request to hub_app;
grant update (text) on quotations.line to hub_app;
grant update (text) on quotations.message to hub_app;
-- +goose StatementBegin
create function quotations.only_taken_away() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.text = '—' and to_jsonb(new) - 'text' = to_jsonb(old) - 'text' then
        return new;
    end if;
    raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = 'HB001';
end $$;
-- +goose StatementEnd
drop trigger message_append_only on quotations.message;
create trigger message_taken_away before update or delete on quotations.message for each row execute function quotations.only_taken_away();
create trigger message_append_only before truncate on quotations.message for each statement execute function platform.refuse();
create index message_said on quotations.message (at) where text <> '—';

-- +goose Down
drop index quotations.message_said;
revoke update (text, files) on quotations.request from hub_app;
revoke update (text) on quotations.line from hub_app;
revoke update (text) on quotations.message from hub_app;
drop trigger message_taken_away on quotations.message;
drop trigger message_append_only on quotations.message;
drop function quotations.only_taken_away;
create trigger message_append_only before update or delete or truncate on quotations.message for each statement execute function platform.refuse();
