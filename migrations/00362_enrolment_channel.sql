-- Whose hand brought a paper: the member's own, an agent's who acted for it, or that
-- of the market's people.

-- +goose Up
alter table enrolment.paper add channel text not null default 'self' check (channel in ('self', 'agent', 'market'));
alter table enrolment.paper no force row level security;
update enrolment.paper set channel = 'market' where made_by like 'operator %' or made_by like 'per\_%';
alter table enrolment.paper force row level security;

-- +goose Down
alter table enrolment.paper drop channel;
