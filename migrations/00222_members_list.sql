-- +goose Up
-- Organisations are listed by where they stand.
create index organisation_state on members.organisation (state, id);

-- +goose Down
drop index members.organisation_state;
