-- What banks offer members: accounts and loans, and members' applications for
-- them. What a bank sees of a member's dossier is in sharing, and only there.

-- +goose Up
create schema finance;
grant usage on schema finance to hub_app;

create function finance.known(text[]) returns boolean language sql immutable parallel safe
    return cardinality($1) between 1 and 5 and $1 <@ array['identity', 'financial', 'production', 'social', 'project'];

create table finance.product (
    id       text primary key,
    bank     text not null check (bank <> ''),
    kind     text not null check (kind in ('account', 'loan')),
    made_by  text not null check (made_by <> ''),
    made_at  timestamptz not null,
    unique (id, kind, bank)
);
create index on finance.product (bank, id);
grant select, insert on finance.product to hub_app;

-- Versions are kept: an application stays with the one that it was made for. Rates
-- are in hundredths of a percent a year, amounts in centimes.
create table finance.edition (
    product     text not null references finance.product,
    kind        text not null,
    bank        text not null,
    version     int not null check (version between 1 and 1000),
    state       text not null check (state in ('draft', 'submitted', 'published', 'replaced', 'withdrawn')),
    names       jsonb not null,
    terms       jsonb not null,
    sections    text[] not null check (finance.known(sections)),
    sensitive   bool not null,
    least       bigint check (least >= 100),
    most        bigint check (most <= 1000000000),
    shortest    int check (shortest >= 1),
    longest     int check (longest <= 360),
    rate        int check (rate between 0 and 5000),
    note        text not null default '' check (length(note) <= 500),
    made_by     text not null check (made_by <> ''),
    made_at     timestamptz not null,
    decided_by  text not null default '',
    decided_at  timestamptz,
    row_version int not null default 1,
    primary key (product, version),
    foreign key (product, kind, bank) references finance.product (id, kind, bank),
    constraint edition_of_kind check ((kind = 'loan') = (least is not null) and num_nulls(least, most, shortest, longest, rate) in (0, 5)),
    constraint edition_range check (least <= most and shortest <= longest),
    constraint edition_said check (names ?& array['fr', 'ar', 'en'] and terms ?& array['fr', 'ar', 'en']),
    constraint edition_decided check (state not in ('published', 'replaced', 'withdrawn') or decided_by <> '' and decided_at is not null),
    constraint edition_by_others check (decided_by <> made_by)
);
create unique index edition_published on finance.edition (product) where state = 'published';
create unique index edition_open on finance.edition (product) where state in ('draft', 'submitted');
create index edition_waiting on finance.edition (product) where state = 'submitted';
grant select, insert, update (state, names, terms, sections, sensitive, least, most, shortest, longest, rate, note, made_by, decided_by, decided_at, row_version) on finance.edition to hub_app;

-- +goose StatementBegin
create function finance.edition_moves() returns trigger language plpgsql as $$
begin
    if old.state <> new.state and (old.state, new.state) not in (('draft', 'submitted'), ('submitted', 'draft'), ('submitted', 'published'), ('published', 'replaced'), ('published', 'withdrawn'))
        or old.state <> 'draft' and (new.names, new.terms, new.sections, new.sensitive, new.least, new.most, new.shortest, new.longest, new.rate, new.made_by)
            is distinct from (old.names, old.terms, old.sections, old.sensitive, old.least, old.most, old.shortest, old.longest, old.rate, old.made_by) then
        raise exception 'version % of product % does not go from % to %', old.version, old.product, old.state, new.state using errcode = 'check_violation', constraint = 'edition_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger edition_moves before update on finance.edition for each row execute function finance.edition_moves();

create table finance.application (
    id            text primary key,
    product       text not null,
    product_version int not null,
    kind          text not null check (kind in ('account', 'loan')),
    bank          text not null check (bank <> ''),
    member        text not null check (member <> ''),
    amount        bigint check (amount > 0),
    months        int check (months between 1 and 360),
    purpose       text not null check (length(purpose) <= 500),
    sections      text[] not null check (finance.known(sections)),
    sensitive     bool not null,
    days          int not null check (days between 1 and 730),
    state         text not null check (state in ('draft', 'submitted', 'received', 'in_review', 'papers_asked', 'offered', 'accepted', 'declined', 'refused', 'withdrawn', 'expired', 'opened', 'granted')),
    partner       text not null default '',     -- whose system takes it; '' the desk
    standing      bigint not null default 0,    -- how much of what that system says was heard
    offer_amount  bigint check (offer_amount > 0),
    offer_rate    int check (offer_rate between 0 and 5000),
    offer_months  int check (offer_months between 1 and 360),
    offer_monthly bigint check (offer_monthly > 0),
    offer_fees    bigint check (offer_fees >= 0),
    offer_terms   text not null default '' check (length(offer_terms) <= 2000),
    offer_until   timestamptz,
    reason        text not null default '' check (length(reason) <= 500),
    rib           text check (rib ~ '^[0-9]{24}$' and rib::numeric % 97 = 0),
    holder        text not null default '' check (length(holder) <= 140),
    account       text not null default '',     -- the member's bank account that it became
    deadline      timestamptz,
    made_by       text not null check (made_by <> ''),
    made_at       timestamptz not null,
    moved_at      timestamptz not null,
    version       int not null default 1,
    foreign key (product, product_version) references finance.edition (product, version),
    foreign key (product, kind, bank) references finance.product (id, kind, bank),
    constraint application_of_kind check ((kind = 'loan') = (amount is not null) and (amount is null) = (months is null)),
    constraint application_offer check (num_nulls(offer_amount, offer_rate, offer_months, offer_monthly) in (0, 4) and (kind = 'loan' or offer_amount is null)),
    constraint application_offered check (state not in ('offered', 'accepted', 'declined', 'opened', 'granted') or offer_until is not null and (kind = 'account' or offer_amount is not null)),
    constraint application_ends check ((state in ('draft', 'submitted', 'received', 'in_review', 'papers_asked', 'offered', 'accepted')) = (deadline is not null)),
    constraint application_reason check (state <> 'refused' or reason <> ''),
    constraint application_rib check ((rib is null) = (holder = '') and (rib is null or state in ('opened', 'granted')) and (state <> 'opened' or rib is not null)),
    constraint application_opened check (state not in ('opened', 'granted') or (state = 'opened') = (kind = 'account')),
    constraint application_account check (account = '' or rib is not null)
);
create index on finance.application (member, id);
create index on finance.application (bank, id) where state <> 'draft';
create index application_waiting on finance.application (bank, deadline, id) where state in ('submitted', 'received', 'in_review', 'papers_asked', 'offered', 'accepted');
create index application_partner on finance.application (partner, id) where partner <> '' and state in ('submitted', 'received', 'in_review', 'papers_asked', 'offered', 'accepted');
grant select, insert, update (state, partner, standing, offer_amount, offer_rate, offer_months, offer_monthly, offer_fees, offer_terms, offer_until, reason, rib, holder, account, deadline, moved_at, version)
    on finance.application to hub_app;

-- +goose StatementBegin
create function finance.application_moves() returns trigger language plpgsql as $$
begin
    if old.state <> new.state and (old.state, new.state) not in (
        ('draft', 'submitted'), ('draft', 'withdrawn'), ('draft', 'expired'),
        ('submitted', 'received'), ('submitted', 'in_review'), ('received', 'in_review'),
        ('received', 'papers_asked'), ('in_review', 'papers_asked'), ('papers_asked', 'in_review'),
        ('received', 'offered'), ('in_review', 'offered'), ('papers_asked', 'offered'), ('offered', 'accepted'), ('offered', 'declined'),
        ('submitted', 'refused'), ('received', 'refused'), ('in_review', 'refused'), ('papers_asked', 'refused'), ('offered', 'refused'), ('accepted', 'refused'),
        ('submitted', 'withdrawn'), ('received', 'withdrawn'), ('in_review', 'withdrawn'), ('papers_asked', 'withdrawn'), ('offered', 'withdrawn'),
        ('submitted', 'expired'), ('received', 'expired'), ('in_review', 'expired'), ('papers_asked', 'expired'), ('offered', 'expired'), ('accepted', 'expired'),
        ('accepted', 'opened'), ('accepted', 'granted'))
        or old.offer_until is not null and (new.offer_amount, new.offer_rate, new.offer_months, new.offer_monthly, new.offer_fees, new.offer_terms, new.offer_until)
            is distinct from (old.offer_amount, old.offer_rate, old.offer_months, old.offer_monthly, old.offer_fees, old.offer_terms, old.offer_until)
        or old.rib is not null and (new.rib, new.holder) is distinct from (old.rib, old.holder)
        or old.partner <> '' and new.partner <> old.partner then
        raise exception 'application % does not go from % to %', old.id, old.state, new.state using errcode = 'check_violation', constraint = 'application_moves';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger application_moves before update on finance.application for each row execute function finance.application_moves();

-- The consents that a bank reads an applicant's papers on; ended when that is over.
create table finance.ground (
    application  text not null references finance.application,
    consent      text not null check (consent <> ''),
    sections     text[] not null check (finance.known(sections)),
    until        timestamptz not null,
    ended        text not null default '' check (ended in ('', 'withdrawn', 'expired')),
    ended_at     timestamptz,
    primary key (application, consent),
    check ((ended = '') = (ended_at is null))
);
create index on finance.ground (consent);
grant select, insert, update (ended, ended_at) on finance.ground to hub_app;

-- What a bank asks for besides, and what it was answered.
create table finance.question (
    application  text not null references finance.application,
    n            int not null check (n between 1 and 20),
    text         text not null check (length(text) between 1 and 1000),
    sections     text[] not null check (cardinality(sections) = 0 or finance.known(sections)),
    asked_by     text not null check (asked_by <> ''),
    asked_at     timestamptz not null,
    answer       text not null default '' check (length(answer) <= 2000),
    answered_by  text not null default '',
    answered_at  timestamptz,
    primary key (application, n),
    check ((answered_by <> '') = (answered_at is not null))
);
create unique index question_open on finance.question (application) where answered_at is null;
grant select, insert, update (answer, answered_by, answered_at) on finance.question to hub_app;

-- What happened to an application, as both sides see it.
create table finance.step (
    seq          bigint generated always as identity primary key,
    application  text not null references finance.application,
    state        text not null,
    side         text not null check (side in ('member', 'bank', 'hub')),
    note         text not null default '',
    at           timestamptz not null,
    actor        text not null default platform.principal()
);
create index on finance.step (application, seq);
create trigger step_append_only before update or delete or truncate on finance.step for each statement execute function platform.refuse();
grant select, insert on finance.step to hub_app;

-- Banks whose applications go to a system of theirs.
create table finance.channel (
    bank     text primary key,
    partner  text not null,                     -- '' the desk again
    set_by   text not null check (set_by <> ''),
    set_at   timestamptz not null
);
create unique index channel_one on finance.channel (partner) where partner <> '';
grant select, insert, update (partner, set_by, set_at) on finance.channel to hub_app;

-- What a bank's system is to be told, in this order. Unknown: it may have heard.
create table finance.errand (
    application  text not null references finance.application,
    n            int not null check (n between 1 and 100),
    kind         text not null check (kind in ('apply', 'papers', 'accept', 'decline', 'withdraw')),
    text         text not null default '',
    state        text not null check (state in ('intent', 'sending', 'unknown', 'done', 'refused')),
    tries        int not null default 0,
    said         text not null default '',
    made_at      timestamptz not null,
    tried_at     timestamptz,
    primary key (application, n)
);
create unique index errand_applies_once on finance.errand (application) where kind = 'apply';
create index errand_undone on finance.errand (application, n) where state in ('intent', 'sending', 'unknown');
grant select, insert, update (state, tries, said, tried_at) on finance.errand to hub_app;

-- +goose Down
drop schema finance cascade;
