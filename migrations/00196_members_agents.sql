-- A field agent acts for a member who gave it a code, for some hours.

-- +goose Up
alter table members.session
    add acts_for    text references members.person,        -- the member's person, who agreed with a code
    add acts_via    text references members.organisation,  -- where the agent works, that sent it
    add acts_until  timestamptz,
    add constraint session_agent check (
        acts_for is null and acts_via is null and acts_until is null
        or acts_for is not null and acts_via is not null and acts_until is not null
            and acts_for <> person and organisation is not null and organisation <> acts_via
            and acts_until > made_at and acts_until <= made_at + interval '8 hours' and proof = 'code');
create index session_agent on members.session (acts_for, id) where acts_for is not null;

-- +goose Down
drop index members.session_agent;
update members.session set ended_at = now(), ended_by = 'agents are gone' where acts_for is not null and ended_at is null;
alter table members.session drop constraint session_agent, drop acts_for, drop acts_via, drop acts_until;
