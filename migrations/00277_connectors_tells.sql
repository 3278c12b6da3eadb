-- Nothing is paid from a connector that only tells people something, or something of
-- them.

-- +goose Up
update connectors.connector set pays = false, wants_pays = false, version = version + 1 where port in ('crm', 'notify') and (pays or wants_pays);
alter table connectors.connector add constraint connector_tells check (not pays or port not in ('crm', 'notify'));

-- +goose Down
alter table connectors.connector drop constraint connector_tells;
