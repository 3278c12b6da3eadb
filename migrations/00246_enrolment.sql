-- What an organisation shows before it is admitted, and goes on showing: sets of
-- requirements by kind and version, and the papers that were handed in.

-- +goose Up
create schema enrolment;
grant usage on schema enrolment to hub_app;

-- A set holds for the organisations that are written down from its day on.
create table enrolment.requirement_set (
    kind     text not null check (kind in ('beneficiary_coop', 'auto_entrepreneur', 'institutional', 'service_provider', 'operational_bank', 'insurer', 'e_payment')),
    version  int not null check (version between 1 and 10000),
    since    timestamptz not null,
    made_by  text not null check (made_by <> ''),
    made_at  timestamptz not null,
    primary key (kind, version),
    constraint set_since check (since >= made_at)
);
grant select, insert on enrolment.requirement_set to hub_app;

create table enrolment.requirement (
    kind     text not null,
    version  int not null,
    ord      int not null check (ord between 1 and 40),
    code     text not null check (code ~ '^[a-z][a-z_]{1,39}$'),
    type     text not null check (type in ('document', 'field', 'visit', 'training')),
    names    jsonb not null,
    optional bool not null,
    second   bool not null,   -- two people accept it
    expires  bool not null,   -- it has a last day
    rule     text not null check (rule in ('', 'text', 'ice', 'if', 'rc', 'cnss', 'cin', 'rib', 'phone')),
    primary key (kind, version, code),
    unique (kind, version, ord),
    foreign key (kind, version) references enrolment.requirement_set,
    constraint requirement_rule check ((type = 'field') = (rule <> '')),
    constraint requirement_expires check (not expires or type <> 'field')
);
grant select, insert on enrolment.requirement to hub_app;

-- A paper is a document, a field's value, or the report of a visit or training. A
-- sensitive value is sealed under a key that the database does not have; its hint
-- is its last signs.
create table enrolment.paper (
    id            text primary key,
    organisation  text not null check (organisation <> ''),
    requirement   text not null,
    file          text not null default '',
    value         text not null default '' check (length(value) <= 200),
    sealed        bytea check (length(sealed) between 29 and 400),
    hint          text not null default '' check (length(hint) <= 12),
    last_day      date,
    state         text not null default 'submitted' check (state in ('submitted', 'seconding', 'accepted', 'rejected', 'replaced', 'expired')),
    made_by       text not null check (made_by <> ''),
    made_at       timestamptz not null,
    decided_by    text not null default '',
    second_by     text not null default '',
    decided_at    timestamptz,
    note          text not null default '',
    version       int not null default 1,
    constraint paper_something check ((file <> '')::int + (value <> '')::int + (sealed is not null)::int between 1 and 2),
    constraint paper_sealed_shows_its_end check ((sealed is null) = (hint = '')),
    constraint paper_not_by_its_maker check (decided_by <> made_by and (second_by = '' or second_by not in (made_by, decided_by))),
    constraint paper_decided check ((state in ('accepted', 'rejected', 'expired')) <= (decided_by <> '' and decided_at is not null))
);
create unique index paper_waits_once on enrolment.paper (organisation, requirement) where state in ('submitted', 'seconding');
create unique index paper_holds_once on enrolment.paper (organisation, requirement) where state = 'accepted';
create index on enrolment.paper (organisation, id);
grant select, insert, update (state, decided_by, second_by, decided_at, note, version) on enrolment.paper to hub_app;

-- +goose StatementBegin
create function enrolment.moves() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (
        ('submitted', 'accepted'), ('submitted', 'seconding'), ('seconding', 'accepted'), ('submitted', 'rejected'), ('seconding', 'rejected'),
        ('submitted', 'replaced'), ('seconding', 'replaced'), ('accepted', 'replaced'), ('accepted', 'expired')) then
        raise exception 'paper % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'paper_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger paper_moves before update on enrolment.paper for each row
    when (old.state is distinct from new.state) execute function enrolment.moves();

-- +goose Down
drop schema enrolment cascade;
