-- Connectors of the other ports: cards and wallets, and those that tell people
-- something or keep something of them. What a customer relation system is told may
-- leave the country: where it is kept is said when it is registered.

-- +goose Up
alter table connectors.connector drop constraint connector_port;
alter table connectors.connector add constraint connector_port check (port in ('bank', 'insurance', 'card', 'wallet', 'crm', 'notify'));
alter table connectors.connector add column hosted text not null default '' check (hosted in ('', 'morocco', 'abroad'));
alter table connectors.connector add constraint connector_hosted check ((port = 'crm') = (hosted <> ''));

-- +goose Down
delete from connectors.credential where connector in (select id from connectors.connector where port not in ('bank', 'insurance', 'wallet'));
delete from connectors.connector where port not in ('bank', 'insurance', 'wallet');
alter table connectors.connector drop constraint connector_hosted;
alter table connectors.connector drop column hosted;
alter table connectors.connector drop constraint connector_port;
alter table connectors.connector add constraint connector_port check (port in ('bank', 'insurance', 'wallet'));
