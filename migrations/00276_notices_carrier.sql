-- Who brings messages may change between two tries: a notice that is sent again goes
-- by who serves its channel then, and is reported on by it.

-- +goose Up
alter table notices.attempt add constraint attempt_carried check (carrier <> '');
grant update (carrier) on notices.attempt to hub_app;

-- +goose Down
revoke update (carrier) on notices.attempt from hub_app;
alter table notices.attempt drop constraint if exists attempt_carried;
