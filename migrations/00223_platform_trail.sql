-- +goose Up
-- The trail is read by what was done, and to what.
create index audit_subject on platform.audit (subject, seq);
create index audit_action on platform.audit (action, seq);

-- +goose Down
drop index platform.audit_action, platform.audit_subject;
