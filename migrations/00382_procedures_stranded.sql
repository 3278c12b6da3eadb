-- Cases whose institution is suspended or gone stand still until it is back, or until
-- the market's people give them to another. A label is given by the procedures of the
-- institution that issues it, which the market's people name. What a second person
-- declined may be proposed again as often as it takes.

-- +goose Up
alter table procedures.case_file add column stranded_at timestamptz,
    add constraint case_stranded check (stranded_at is null or state in ('fee_due', 'submitted', 'examining', 'asked', 'in_transit', 'seconding', 'appealed'));
create index case_stranded on procedures.case_file (id) where stranded_at is not null;
grant update (institution, stranded_at) on procedures.case_file to hub_app;

-- +goose StatementBegin
create or replace function procedures.case_moves() returns trigger language plpgsql as $$
declare
    entrusted bool := old.stranded_at is not null and new.stranded_at is null and new.holder = new.institution and (new.institution <> old.institution or new.holder <> old.holder);
begin
    if old.state <> new.state and (old.state, new.state) not in (
        ('draft', 'fee_due'), ('draft', 'submitted'), ('draft', 'withdrawn'), ('draft', 'lapsed'),
        ('fee_due', 'submitted'), ('fee_due', 'withdrawn'), ('fee_due', 'lapsed'),
        ('submitted', 'examining'), ('submitted', 'seconding'), ('submitted', 'refused'), ('submitted', 'withdrawn'),
        ('examining', 'asked'), ('asked', 'examining'), ('examining', 'in_transit'), ('in_transit', 'examining'),
        ('examining', 'seconding'), ('seconding', 'examining'),
        ('examining', 'granted'), ('examining', 'refused'), ('seconding', 'granted'), ('seconding', 'refused'),
        ('examining', 'withdrawn'), ('asked', 'withdrawn'), ('appealed', 'withdrawn'),
        ('refused', 'appealed'), ('appealed', 'examining'), ('granted', 'closed'), ('refused', 'closed'))
        or new.version <> old.version + 1
        or new.institution <> old.institution and not entrusted
        or new.holder <> old.holder and (old.state, new.state) <> ('in_transit', 'examining') and not entrusted
        or new.step < old.step
        or new.answers is distinct from old.answers and old.state not in ('draft', 'asked')
        or old.submitted_at is not null and new.submitted_at is distinct from old.submitted_at
        or old.examined_at is not null and new.examined_at is distinct from old.examined_at then
        raise exception 'case % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'case_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd

alter table procedures.decision drop constraint decision_n_check, add constraint decision_n_check check (n >= 1);

create table procedures.label_issuer (
    label       text primary key check (length(label) between 1 and 60),
    institution text not null check (institution <> ''),
    named_by    text not null check (named_by <> ''),
    named_at    timestamptz not null
);
grant select, insert, update (institution, named_by, named_at) on procedures.label_issuer to hub_app;

-- Who gives a label today issues it, or else who gave it last: of several who was there
-- first. What was retired has cases under way.
insert into procedures.label_issuer (label, institution, named_by, named_at)
select distinct on (e.definition #>> '{effect,label}') e.definition #>> '{effect,label}', p.institution, 'hub', e.made_at
from procedures.edition e join procedures.procedure p on p.id = e.procedure
where e.definition #>> '{effect,kind}' = 'label' order by e.definition #>> '{effect,label}', (e.state = 'published') desc, e.made_at, p.id;

-- +goose Down
drop table procedures.label_issuer;
alter table procedures.decision drop constraint decision_n_check, add constraint decision_n_check check (n between 1 and 20) not valid;
-- +goose StatementBegin
create or replace function procedures.case_moves() returns trigger language plpgsql as $$
begin
    if old.state <> new.state and (old.state, new.state) not in (
        ('draft', 'fee_due'), ('draft', 'submitted'), ('draft', 'withdrawn'), ('draft', 'lapsed'),
        ('fee_due', 'submitted'), ('fee_due', 'withdrawn'), ('fee_due', 'lapsed'),
        ('submitted', 'examining'), ('submitted', 'seconding'), ('submitted', 'refused'), ('submitted', 'withdrawn'),
        ('examining', 'asked'), ('asked', 'examining'), ('examining', 'in_transit'), ('in_transit', 'examining'),
        ('examining', 'seconding'), ('seconding', 'examining'),
        ('examining', 'granted'), ('examining', 'refused'), ('seconding', 'granted'), ('seconding', 'refused'),
        ('examining', 'withdrawn'), ('asked', 'withdrawn'), ('appealed', 'withdrawn'),
        ('refused', 'appealed'), ('appealed', 'examining'), ('granted', 'closed'), ('refused', 'closed'))
        or new.version <> old.version + 1
        or new.holder <> old.holder and (old.state, new.state) <> ('in_transit', 'examining')
        or new.step < old.step
        or new.answers is distinct from old.answers and old.state not in ('draft', 'asked')
        or old.submitted_at is not null and new.submitted_at is distinct from old.submitted_at
        or old.examined_at is not null and new.examined_at is distinct from old.examined_at then
        raise exception 'case % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'case_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
revoke update (institution, stranded_at) on procedures.case_file from hub_app;
drop index procedures.case_stranded;
alter table procedures.case_file drop constraint case_stranded, drop column stranded_at;
