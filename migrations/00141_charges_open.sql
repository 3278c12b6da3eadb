-- What waits for money, or for its settlement, is found among what does, however
-- many charges there were.

-- +goose Up
create index charge_unsettled on charges.charge (amount, currency) where state = 'confirmed' and not settled and acquirer <> '';
create index charge_awaited on charges.charge (currency, id) where state = 'accepted' and method = 'transfer';

-- +goose Down
drop index charges.charge_awaited;
drop index charges.charge_unsettled;
