-- The number of the wallet that was asked to pay is taken away when its owner is
-- forgotten; what was asked and paid stays.

-- +goose Up
alter table charges.wallet_request
    drop constraint wallet_request_phone_check,
    add constraint wallet_request_phone_check check (phone = '' or phone ~ '^\+212[67][0-9]{8}$');

-- +goose Down
alter table charges.wallet_request
    drop constraint wallet_request_phone_check,
    add constraint wallet_request_phone_check check (phone ~ '^\+212[67][0-9]{8}$') not valid;
