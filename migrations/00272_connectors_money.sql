-- A connector may be a provider's of wallets: it settles to us from an account that
-- is known beforehand.

-- +goose Up
alter table connectors.connector add column settles_from text check (settles_from ~ '^[0-9]{24}$');
alter table connectors.connector add column fee_percent numeric(6, 4) check (fee_percent >= 0 and fee_percent <= 20);
alter table connectors.connector drop constraint connector_port;
alter table connectors.connector add constraint connector_port check (port in ('bank', 'insurance', 'wallet'));
alter table connectors.connector drop constraint connector_has_accounts;
alter table connectors.connector add constraint connector_has_accounts check (
    case port
        when 'bank' then safeguard_rib is not null and safeguard_name is not null and operating_rib is not null and operating_name is not null
        else safeguard_rib is null and safeguard_name is null and operating_rib is null and operating_name is null
    end);
alter table connectors.connector add constraint connector_settles check (
    case port when 'wallet' then settles_from is not null else settles_from is null and fee_percent is null end);
alter table connectors.connector add constraint connector_pays_port check (not pays or port <> 'insurance');
drop index connectors.connector_one_pays;
create unique index connector_one_pays on connectors.connector (port) where pays;

-- +goose Down
delete from connectors.credential where connector in (select id from connectors.connector where port = 'wallet');
delete from connectors.connector where port = 'wallet';
drop index connectors.connector_one_pays;
create unique index connector_one_pays on connectors.connector (pays) where pays;
alter table connectors.connector drop constraint connector_pays_port;
alter table connectors.connector drop constraint connector_settles;
alter table connectors.connector drop constraint connector_has_accounts;
alter table connectors.connector add constraint connector_has_accounts check (
    case port
        when 'bank' then safeguard_rib is not null and safeguard_name is not null and operating_rib is not null and operating_name is not null
        else safeguard_rib is null and safeguard_name is null and operating_rib is null and operating_name is null and not pays
    end);
alter table connectors.connector drop constraint connector_port;
alter table connectors.connector add constraint connector_port check (port in ('bank', 'insurance'));
alter table connectors.connector drop column fee_percent;
alter table connectors.connector drop column settles_from;
