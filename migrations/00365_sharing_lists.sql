-- Whoever takes part in a programme lists what was given to it.

-- +goose Up
create index on sharing.consent (programme, id) where programme is not null;

-- +goose Down
drop index sharing.consent_programme_id_idx;
