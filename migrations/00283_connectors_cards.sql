-- A connector may be an acquirer's: it settles to us as a provider of wallets does.

-- +goose Up
alter table connectors.connector drop constraint connector_settles;
alter table connectors.connector add constraint connector_settles check (
    case when port in ('card', 'wallet') then settles_from is not null else settles_from is null and fee_percent is null end);

-- +goose Down
alter table connectors.connector drop constraint connector_settles;
alter table connectors.connector add constraint connector_settles check (
    case port when 'wallet' then settles_from is not null when 'card' then true else settles_from is null and fee_percent is null end);
