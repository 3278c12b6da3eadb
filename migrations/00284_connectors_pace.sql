-- How often a connector may be called is what its manifest says.

-- +goose Up
alter table connectors.connector add column per_second int not null default 0 check (per_second between 0 and 10000);
alter table connectors.connector add column burst int not null default 0 check (burst between 0 and 10000);

grant update (per_second, burst) on connectors.connector to hub_app;

-- +goose Down
alter table connectors.connector drop column burst;
alter table connectors.connector drop column per_second;
