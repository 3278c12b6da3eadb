-- What somebody was told goes with who was told.

-- +goose Up
create index notice_phone on notices.notice (phone) where phone <> '';
create index notice_email on notices.notice (email) where email <> '';
create index notice_made on notices.notice (created_at, id);
create index notice_within on notices.notice (within) where within is not null;
grant delete on notices.notice to hub_app;
grant delete on notices.attempt to hub_app;
grant delete on notices.settings to hub_app;

-- +goose Down
drop index notices.notice_phone, notices.notice_email, notices.notice_within, notices.notice_made;
revoke delete on notices.notice from hub_app;
revoke delete on notices.attempt from hub_app;
revoke delete on notices.settings from hub_app;
