-- A buyer who is forgotten leaves what was bought behind, and takes its name, number,
-- address and words away. Nothing else of these rows changes.

-- +goose Up
grant update (contact, delivery) on orders.order_group to hub_app;
grant update (text) on orders.review to hub_app;
grant update (text, files) on orders.message to hub_app;
grant update (note, lat, lng, accuracy_m) on orders.attempt to hub_app;

-- only_taken_away lets words and places be taken away, and nothing be written.
-- +goose StatementBegin
create function orders.only_taken_away() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and tg_table_name = 'message' and to_jsonb(new) ->> 'text' = '—' and to_jsonb(new) -> 'files' = '[]'
        and to_jsonb(new) - 'text' - 'files' = to_jsonb(old) - 'text' - 'files' then
        return new;
    end if;
    if tg_op = 'UPDATE' and tg_table_name = 'attempt' and to_jsonb(new) ->> 'note' = '' and to_jsonb(new) ->> 'lat' is null and to_jsonb(new) ->> 'lng' is null
        and to_jsonb(new) - 'note' - 'lat' - 'lng' - 'accuracy_m' = to_jsonb(old) - 'note' - 'lat' - 'lng' - 'accuracy_m' then
        return new;
    end if;
    raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = 'HB001';
end $$;
-- +goose StatementEnd
drop trigger message_append_only on orders.message;
create trigger message_taken_away before update or delete on orders.message for each row execute function orders.only_taken_away();
create trigger message_append_only before truncate on orders.message for each statement execute function platform.refuse();
drop trigger attempt_append_only on orders.attempt;
create trigger attempt_taken_away before update or delete on orders.attempt for each row execute function orders.only_taken_away();
create trigger attempt_append_only before truncate on orders.attempt for each statement execute function platform.refuse();

-- A parcel that was proved by a photograph was, also when that is gone.
alter table orders.shipment
    drop constraint shipment_photo,
    add constraint shipment_photo check (proof <> 'photo' or photo <> '' and (lat is not null or photo = '—'));

create index shipment_seen on orders.shipment (delivered_at, id) where lat is not null or photo not in ('', '—');
create index message_said on orders.message (at) where text <> '—';
create index attempt_noted on orders.attempt (at) where note <> '' or lat is not null;
create index quote_over on orders.quote (expires_at);

-- +goose Down
drop index orders.shipment_seen, orders.message_said, orders.attempt_noted, orders.quote_over;
revoke update (contact, delivery) on orders.order_group from hub_app;
revoke update (text) on orders.review from hub_app;
revoke update (text, files) on orders.message from hub_app;
revoke update (note, lat, lng, accuracy_m) on orders.attempt from hub_app;
drop trigger message_taken_away on orders.message;
drop trigger message_append_only on orders.message;
create trigger message_append_only before update or delete or truncate on orders.message for each statement execute function platform.refuse();
drop trigger attempt_taken_away on orders.attempt;
drop trigger attempt_append_only on orders.attempt;
create trigger attempt_append_only before update or delete or truncate on orders.attempt for each statement execute function platform.refuse();
drop function orders.only_taken_away;
alter table orders.shipment
    drop constraint shipment_photo,
    add constraint shipment_photo check (proof <> 'photo' or photo <> '' and lat is not null) not valid;
