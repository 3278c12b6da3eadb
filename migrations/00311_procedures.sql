-- Procedures of institutions, which are data in versions, and members' cases.

-- +goose Up
create schema procedures;
grant usage on schema procedures to hub_app;

create table procedures.procedure (
    id          text primary key,
    institution text not null check (institution <> ''),
    code        text not null check (code ~ '^[a-z][a-z_]{1,39}$'),
    made_by     text not null check (made_by <> ''),
    made_at     timestamptz not null,
    unique (institution, code)
);
grant select, insert on procedures.procedure to hub_app;

-- What a version says never changes: a case stays with the one it was made for.
create table procedures.edition (
    procedure   text not null references procedures.procedure,
    version     int not null check (version between 1 and 1000),
    state       text not null default 'published' check (state in ('published', 'replaced', 'retired')),
    definition  jsonb not null check (definition -> 'names' ?& array['fr', 'ar', 'en']),
    made_by     text not null check (made_by <> ''),
    made_at     timestamptz not null,
    ended_at    timestamptz,
    primary key (procedure, version),
    check ((state = 'published') = (ended_at is null))
);
create unique index edition_published on procedures.edition (procedure) where state = 'published';
grant select, insert, update (state, ended_at) on procedures.edition to hub_app;

-- +goose StatementBegin
create function procedures.edition_moves() returns trigger language plpgsql as $$
begin
    if old.state <> 'published' or new.state = 'published' then
        raise exception 'version % of procedure % is %', old.version, old.procedure, old.state using errcode = 'check_violation', constraint = 'edition_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger edition_moves before update on procedures.edition for each row execute function procedures.edition_moves();

-- Cases. The holder is always one institution; the desk is in whose inbox the case
-- stands, or '' when it is the applicant's turn, or nobody's.
create table procedures.case_file (
    id           text primary key,
    procedure    text not null,
    edition      int not null,
    institution  text not null check (institution <> ''),
    holder       text not null check (holder <> ''),
    desk         text not null default '',
    applicant    text not null check (applicant <> ''),
    region       text not null,
    state        text not null check (state in ('draft', 'fee_due', 'submitted', 'examining', 'asked', 'in_transit', 'seconding', 'granted', 'refused', 'appealed', 'withdrawn', 'lapsed', 'closed')),
    step         int not null default 0 check (step between 0 and 19),
    answers      jsonb not null,
    officer      text not null default '',
    due          timestamptz,
    examine_by   timestamptz,
    asked_at     timestamptz,
    submitted_at timestamptz,
    examined_at  timestamptz,
    decided_at   timestamptz,
    outcome      text not null default '' check (outcome in ('', 'grant', 'refuse')),
    made_by      text not null check (made_by <> ''),
    made_at      timestamptz not null,
    moved_at     timestamptz not null,
    version      int not null default 1,
    foreign key (procedure, edition) references procedures.edition (procedure, version),
    constraint case_handed_in check (submitted_at is not null and examine_by is not null or state in ('draft', 'fee_due', 'withdrawn', 'lapsed')),
    constraint case_examined check (examined_at is not null or state not in ('examining', 'asked', 'in_transit', 'appealed')),
    constraint case_desk check ((desk <> '') = (state in ('submitted', 'examining', 'in_transit', 'seconding', 'appealed')) and (desk in ('', holder) or state = 'in_transit')),
    constraint case_asked check ((asked_at is not null) = (state = 'asked')),
    constraint case_due check ((due is null) = (state in ('withdrawn', 'lapsed', 'closed'))),
    constraint case_decided check ((decided_at is not null) = (outcome <> '') and (outcome <> '' or state not in ('granted', 'refused', 'appealed', 'closed')))
);
create index case_inbox on procedures.case_file (desk, due, id) where desk <> '';
create index case_applicant on procedures.case_file (applicant, id);
create index case_institution on procedures.case_file (institution, id) where state <> 'draft';
create index case_holder on procedures.case_file (holder, id) where state <> 'draft';
create index case_decided on procedures.case_file (institution, decided_at) where decided_at is not null;
grant select, insert, update (holder, desk, state, step, answers, officer, due, examine_by, asked_at, submitted_at, examined_at, decided_at, outcome, moved_at, version) on procedures.case_file to hub_app;

-- +goose StatementBegin
create function procedures.case_moves() returns trigger language plpgsql as $$
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
create trigger case_moves before update on procedures.case_file for each row execute function procedures.case_moves();

-- Required papers: uploaded for the case, or accepted at the enrolment.
create table procedures.paper (
    case_file text not null references procedures.case_file,
    code      text not null check (code <> ''),
    file      text not null default '',
    enrolled  text not null default '',
    added_by  text not null check (added_by <> ''),
    added_at  timestamptz not null,
    primary key (case_file, code),
    constraint paper_of_one check ((file = '') <> (enrolled = '') or file <> '')
);
grant select, insert, update (file, enrolled, added_by, added_at) on procedures.paper to hub_app;

create table procedures.question (
    case_file   text not null references procedures.case_file,
    n           int not null check (n between 1 and 20),
    text        text not null check (length(text) between 1 and 1000),
    asked_by    text not null check (asked_by <> ''),
    asked_at    timestamptz not null,
    answer      text not null default '' check (length(answer) <= 2000),
    answered_by text not null default '',
    answered_at timestamptz,
    primary key (case_file, n),
    check ((answered_by <> '') = (answered_at is not null))
);
create unique index question_open on procedures.question (case_file) where answered_at is null;
grant select, insert, update (answer, answered_by, answered_at) on procedures.question to hub_app;

-- A case goes from one institution to another with a receipt: this row.
create table procedures.transit (
    id          text primary key,
    case_file   text not null references procedures.case_file,
    sender      text not null check (sender <> ''),
    receiver    text not null check (receiver <> '' and receiver <> sender),
    note        text not null check (length(note) between 1 and 1000),
    offered_by  text not null check (offered_by <> ''),
    offered_at  timestamptz not null,
    state       text not null default 'offered' check (state in ('offered', 'accepted', 'returned')),
    ended_by    text not null default '',
    ended_at    timestamptz,
    reason      text not null default '' check (length(reason) <= 1000),
    check ((state = 'offered') = (ended_at is null) and (state = 'offered') = (ended_by = '')),
    check (state <> 'returned' or reason <> '')
);
create unique index transit_open on procedures.transit (case_file) where state = 'offered';
create index on procedures.transit (case_file, id);
create index on procedures.transit (receiver, case_file);
grant select, insert, update (state, ended_by, ended_at, reason) on procedures.transit to hub_app;

-- What was decided. What one proposes that two must decide, another confirms.
create table procedures.decision (
    case_file   text not null references procedures.case_file,
    n           int not null check (n between 1 and 20),
    outcome     text not null check (outcome in ('grant', 'refuse')),
    reason      text not null default '' check (length(reason) <= 40),
    text        text not null default '' check (length(text) <= 2000),
    state       text not null check (state in ('proposed', 'standing', 'declined', 'overturned', 'upheld')),
    on_appeal   bool not null,
    decided_by  text not null check (decided_by <> ''),
    decided_at  timestamptz not null,
    second      bool not null,
    second_by   text not null default '',
    second_at   timestamptz,
    appeal      text not null default '' check (length(appeal) <= 2000),
    appealed_by text not null default '',
    appealed_at timestamptz,
    primary key (case_file, n),
    constraint decision_reason check (outcome = 'grant' or reason <> ''),
    constraint decision_by_two check (not second or state not in ('standing', 'overturned', 'upheld') or second_by <> '' and second_by <> decided_by and second_by like 'per\_%' and decided_by like 'per\_%'),
    constraint decision_by_one check (second or state in ('standing', 'overturned', 'upheld')),
    constraint decision_appeal check ((appealed_at is null) = (appeal = '') and (appealed_at is null) = (appealed_by = '') and (appealed_at is null or outcome = 'refuse'))
);
create unique index decision_open on procedures.decision (case_file) where state = 'proposed';
create unique index decision_standing on procedures.decision (case_file) where state = 'standing';
grant select, insert, update (state, second_by, second_at, appeal, appealed_by, appealed_at) on procedures.decision to hub_app;

-- +goose StatementBegin
create function procedures.decision_moves() returns trigger language plpgsql as $$
begin
    if old.state <> new.state and (old.state, new.state) not in (('proposed', 'standing'), ('proposed', 'declined'), ('standing', 'overturned'), ('standing', 'upheld'))
        or old.appealed_at is not null and (new.appeal, new.appealed_by, new.appealed_at) is distinct from (old.appeal, old.appealed_by, old.appealed_at)
        or old.second_by <> '' and new.second_by <> old.second_by then
        raise exception 'decision % of case % does not go from % to %', old.n, old.case_file, old.state, new.state using errcode = 'check_violation', constraint = 'decision_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger decision_moves before update on procedures.decision for each row execute function procedures.decision_moves();

-- Numbers without holes, of an institution and a year.
create table procedures.counter (
    institution text not null,
    year        int not null,
    last        int not null check (last > 0),
    primary key (institution, year)
);
grant select, insert, update (last) on procedures.counter to hub_app;

create table procedures.document (
    id          text primary key,
    case_file   text not null references procedures.case_file,
    procedure   text not null,
    edition     int not null,
    institution text not null check (institution <> ''),
    holder      text not null check (holder <> ''),
    year        int not null,
    n           int not null check (n > 0),
    number      text not null check (number <> ''),
    token       text not null check (length(token) = 22),
    texts       jsonb not null,
    shown       jsonb not null,      -- what whoever verifies it sees, beside its number
    valid_from  date not null,
    valid_to    date,
    state       text not null default 'valid' check (state in ('valid', 'revoking', 'revoked')),
    reason      text not null default '',
    note        text not null default '' check (length(note) <= 1000),
    label       text not null default '',     -- the catalogue's label that it gave
    revoked_by  text not null default '',
    second_by   text not null default '',
    revoked_at  timestamptz,
    made_at     timestamptz not null,
    version     int not null default 1,
    unique (institution, year, n),
    unique (institution, number),
    unique (token),
    foreign key (procedure, edition) references procedures.edition (procedure, version),
    check (valid_to is null or valid_to >= valid_from),
    constraint document_revoked check ((state = 'revoked') = (revoked_at is not null) and (state = 'valid' or reason <> '' and revoked_by <> '') and second_by <> coalesce(nullif(revoked_by, ''), '-'))
);
create unique index document_of_case on procedures.document (case_file);
grant select, insert, update (state, reason, note, label, revoked_by, second_by, revoked_at, version) on procedures.document to hub_app;

-- +goose StatementBegin
create function procedures.document_moves() returns trigger language plpgsql as $$
begin
    if old.state = 'revoked' or (old.state, new.state) not in (('valid', 'valid'), ('valid', 'revoking'), ('valid', 'revoked'), ('revoking', 'revoked'), ('revoking', 'valid')) or new.version <> old.version + 1 then
        raise exception 'document % is %', old.id, old.state using errcode = 'check_violation', constraint = 'document_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger document_moves before update on procedures.document for each row execute function procedures.document_moves();

-- For what, and where, a provider is accredited; as long as its document is valid.
create table procedures.accreditation (
    document     text not null references procedures.document,
    organisation text not null,
    domain       text not null check (domain <> ''),
    region       text not null check (region ~ '^MA-[0-9]{2}$'),
    primary key (document, domain, region)
);
create index on procedures.accreditation (domain, region, organisation, document);
create index on procedures.accreditation (organisation, document);
grant select, insert on procedures.accreditation to hub_app;

-- Every move of a case, by whom, for whom, and by which way it came.
create table procedures.move (
    seq          bigint generated always as identity primary key,
    case_file    text not null references procedures.case_file,
    move         text not null,
    state        text not null,
    side         text not null check (side in ('applicant', 'institution', 'hub')),
    institution  text not null,
    channel      text not null check (channel in ('online', 'counter', 'phone', 'api', 'hub')),
    on_behalf_of text not null default '',
    note         text not null default '' check (length(note) <= 2000),
    at           timestamptz not null,
    actor        text not null default platform.principal()
);
create index on procedures.move (case_file, seq);
create trigger move_append_only before update or delete or truncate on procedures.move for each statement execute function platform.refuse();
grant select, insert on procedures.move to hub_app;

-- +goose Down
drop schema procedures cascade;
