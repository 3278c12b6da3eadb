-- What people wish to be told by who sells, and what of them and of their orders
-- systems outside are kept up to date with.

-- +goose Up
create schema relations;
grant usage on schema relations to hub_app;

-- What somebody said, or had said for it: never changed.
create table relations.wish (
    id        text primary key,
    person    text not null check (person <> ''),
    purpose   text not null check (purpose in ('marketing')),
    granted   bool not null,
    source    text not null check (source in ('person', 'crm', 'erasure')),
    partner   text not null default '',             -- which system heard it
    text_hash text not null default '',             -- of what the person read
    lang      text not null default '' check (lang in ('', 'fr', 'ar', 'en')),
    at        timestamptz not null,
    -- Only a person itself agrees, and to a text; everybody else can only take back.
    constraint wish_agreed check (not granted or source = 'person' and text_hash <> ''),
    constraint wish_heard check ((source = 'crm') = (partner <> ''))
);
create index on relations.wish (person, id);
grant select, insert on relations.wish to hub_app;

-- The last of each person's wishes.
create table relations.stance (
    person   text not null,
    purpose  text not null check (purpose in ('marketing')),
    granted  bool not null,
    wish     text not null references relations.wish,
    at       timestamptz not null,
    version  bigint not null default 1,
    primary key (person, purpose)
);
create index on relations.stance (person) where granted;
grant select, insert on relations.stance to hub_app;
grant update (granted, wish, at, version) on relations.stance to hub_app;

create table relations.partner (
    partner     text primary key,
    paused      bool not null default false,
    transfer    text not null default '',            -- by which authorisation data may leave the country
    busy_until  timestamptz,                          -- some hub speaks with it
    retry_at    timestamptz,                          -- it is left alone until then
    failures    int not null default 0 check (failures >= 0),
    reason      text not null default '',            -- why the last call failed
    code        text not null default '',
    synced_at   timestamptz,                          -- the last call that did not
    cursor      text not null default '',            -- how far it was asked who refuses
    looked_at   timestamptz,                          -- when all were asked about
    version     bigint not null default 1
);
grant select, insert, update on relations.partner to hub_app;

-- One thing of ours at one system: what is to be said of it (wanted), what has
-- been (done), and as what the system has it.
create table relations.partner_link (
    partner       text not null references relations.partner,
    entity        text not null check (entity in ('contact', 'consent', 'points', 'deal')),
    local_id      text not null,
    person        text not null,
    remote_id     text not null default '',
    asked         bool not null default false,       -- the system may have it
    content_hash  text not null default '',          -- of what the system was told last; '' nobody knows
    version       bigint not null default 0,         -- how often it was told
    wanted        bigint not null default 1,
    done          bigint not null default 0,
    held          text not null default '',          -- why nothing is said of it
    code          text not null default '',          -- by which the system refused it
    tries         int not null default 0,
    due_at        timestamptz not null,
    sent_at       timestamptz,
    primary key (partner, entity, local_id),
    constraint link_done check (done <= wanted),
    constraint link_own check (entity = 'deal' or local_id = person)
);
create index link_due on relations.partner_link (partner, entity, due_at, local_id) where wanted > done;
create index on relations.partner_link (person);
grant select, insert, update, delete on relations.partner_link to hub_app;

-- That somebody is to be forgotten at a system, and what shows that it was.
create table relations.erasure (
    id        text primary key,
    person    text not null check (person <> ''),
    partner   text not null references relations.partner,
    state     text not null check (state in ('asked', 'done', 'failed')),
    asked_by  text not null,
    asked_at  timestamptz not null,
    due_at    timestamptz not null,
    tries     int not null default 0,
    code      text not null default '',
    proof     jsonb,
    done_at   timestamptz,
    version   bigint not null default 1,
    constraint erasure_shown check ((state = 'done') = (proof is not null and done_at is not null))
);
create unique index erasure_one on relations.erasure (partner, person) where state = 'asked';
create index on relations.erasure (person, id);
create index erasure_due on relations.erasure (partner, due_at) where state = 'asked';
grant select, insert on relations.erasure to hub_app;
grant update (state, due_at, tries, code, proof, done_at, version) on relations.erasure to hub_app;

-- +goose Down
drop schema relations cascade;
