-- What of a carrier's due cannot be paid yet is found among what cannot.

-- +goose Up
create index hold_unsettled on escrow.hold (carrier, currency) where (not settled or shipped_at is null and not cash) and released > 0;

-- +goose Down
drop index escrow.hold_unsettled;
