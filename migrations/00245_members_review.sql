-- An application is taken up, decided, and may end for good; what an active
-- organisation lacks restricts it: it finishes its orders and sells nothing new.

-- +goose Up
alter table members.organisation
    drop constraint organisation_state_check,
    add constraint organisation_state_check check (state in ('draft', 'submitted', 'under_review', 'changes_requested', 'active', 'suspended', 'terminated')),
    add column asked_at   timestamptz,                  -- when it asked for admission, the last time
    add column reviewer   text not null default '',     -- who took its application up
    add column restricted text not null default '';     -- why it may sell nothing new; '': it may
update members.organisation set asked_at = created_at where state = 'submitted';
alter table members.organisation
    add constraint organisation_asked check (state not in ('submitted', 'under_review') or asked_at is not null),
    add constraint organisation_reviewed check (state <> 'under_review' or reviewer <> '');

-- Who waits longest is reviewed first, of a region or of all.
create index organisation_queue on members.organisation (asked_at, id) where state in ('submitted', 'under_review');
create index organisation_queue_region on members.organisation (region, asked_at, id) where state in ('submitted', 'under_review');

-- The states follow the same table as the code.
-- +goose StatementBegin
create function members.moves() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (
        ('draft', 'submitted'), ('changes_requested', 'submitted'), ('submitted', 'under_review'),
        ('submitted', 'active'), ('under_review', 'active'), ('submitted', 'changes_requested'), ('under_review', 'changes_requested'),
        ('active', 'suspended'), ('suspended', 'active'),
        ('draft', 'terminated'), ('changes_requested', 'terminated'), ('suspended', 'terminated')) then
        raise exception 'organisation % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'organisation_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger organisation_moves before update on members.organisation for each row
    when (old.state is distinct from new.state) execute function members.moves();

-- +goose Down
drop trigger organisation_moves on members.organisation;
drop function members.moves();
drop index members.organisation_queue, members.organisation_queue_region;
alter table members.organisation drop constraint organisation_asked, drop constraint organisation_reviewed,
    drop column asked_at, drop column reviewer, drop column restricted,
    drop constraint organisation_state_check,
    add constraint organisation_state_check check (state in ('draft', 'submitted', 'changes_requested', 'active', 'suspended', 'terminated'));
