-- Institutions that are at work are few among many organisations.

-- +goose Up
create index organisation_institutions on members.organisation (id) where kind = 'institutional';

-- +goose Down
drop index members.organisation_institutions;
