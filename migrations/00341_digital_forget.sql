-- A code that was given to somebody who is forgotten is overwritten.

-- +goose Up
create index grant_buyer on digital.grant (buyer);
grant update (sealed) on digital.code to hub_app;

-- +goose Down
drop index digital.grant_buyer;
revoke update (sealed) on digital.code from hub_app;
