-- The second wall: papers are shown by PostgreSQL itself to those alone whom they
-- concern, whatever a statement forgets to ask for.

-- +goose Up
-- What an organisation showed to be admitted: its own, and the market's people's.
alter table enrolment.paper enable row level security, force row level security;
create policy concerned on enrolment.paper using (platform.role() in ('system', 'operator') or organisation = platform.subject());

-- +goose Down
alter table enrolment.paper disable row level security, no force row level security;
drop policy concerned on enrolment.paper;
