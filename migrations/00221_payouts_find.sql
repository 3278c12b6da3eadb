-- +goose Up
-- … and payouts.
create index payout_reference on payouts.payout (ref, id);
create index payout_amount on payouts.payout (amount, id);
create index payout_state on payouts.payout (state, id);

-- +goose Down
drop index payouts.payout_state, payouts.payout_amount, payouts.payout_reference;
