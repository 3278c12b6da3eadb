-- Whoever is forgotten has no passkey and no PIN any more, and nobody reads where it
-- was invited.

-- +goose Up
create index session_acts_for on members.session (acts_for) where acts_for is not null;
create index session_seen on members.session (seen_at) where device <> '' or address <> '';
grant delete on members.passkey to hub_app;
grant delete on members.pin to hub_app;
grant update (address) on members.invitation to hub_app;
grant update (label) on members.api_key to hub_app;

-- +goose Down
drop index members.session_acts_for, members.session_seen;
revoke delete on members.passkey from hub_app;
revoke delete on members.pin from hub_app;
revoke update (address) on members.invitation from hub_app;
revoke update (label) on members.api_key from hub_app;
