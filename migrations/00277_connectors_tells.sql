-- Nothing is paid from a connector that only tells people something, or something of
-- them.

-- +goose Up
alter table connectors.connector add constraint connector_tells check (not pays or port not in ('crm', 'notify'));

-- +goose Down
alter table connectors.connector drop constraint connector_tells;
