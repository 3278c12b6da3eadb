-- A connector may be an insurer's: it has no accounts of ours.

-- +goose Up
alter table connectors.connector drop constraint connector_port_check;
alter table connectors.connector add constraint connector_port check (port in ('bank', 'insurance'));
alter table connectors.connector alter column safeguard_rib drop not null;
alter table connectors.connector alter column safeguard_name drop not null;
alter table connectors.connector alter column operating_rib drop not null;
alter table connectors.connector alter column operating_name drop not null;
alter table connectors.connector add constraint connector_has_accounts check (
    case port
        when 'bank' then safeguard_rib is not null and safeguard_name is not null and operating_rib is not null and operating_name is not null
        else safeguard_rib is null and safeguard_name is null and operating_rib is null and operating_name is null and not pays
    end);

-- +goose Down
delete from connectors.credential where connector in (select id from connectors.connector where port <> 'bank');
delete from connectors.connector where port <> 'bank';
alter table connectors.connector drop constraint connector_has_accounts;
alter table connectors.connector alter column safeguard_rib set not null;
alter table connectors.connector alter column safeguard_name set not null;
alter table connectors.connector alter column operating_rib set not null;
alter table connectors.connector alter column operating_name set not null;
alter table connectors.connector drop constraint connector_port;
alter table connectors.connector add constraint connector_port_check check (port = 'bank');
