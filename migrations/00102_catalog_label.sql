-- Labels are certificates of a seller, for some of its offers or all: claimed by
-- the seller, verified by the operator, until they expire or are revoked. Labels
-- that were shown without anybody having looked at them are claims now.

-- +goose Up
alter table catalog.label rename to label_before;
create table catalog.label (
    id           text primary key,
    seller       text not null,
    code         text not null check (code <> ''),
    issuer       text not null default '',
    number       text not null default '',
    scope        text not null check (scope in ('offers', 'organisation')),
    proof        text not null default '',
    valid_from   date not null,
    valid_to     date,
    state        text not null check (state in ('claimed', 'verified', 'refused', 'expired', 'revoked', 'withdrawn')),
    evidence     text not null default '',
    reason       text not null default '',
    claimed_at   timestamptz not null default platform.now(),
    verified_at  timestamptz,
    verified_by  text not null default '',
    ended_at     timestamptz,
    reminded     int not null default 0 check (reminded in (0, 30, 7, 1)),
    check (valid_to is null or valid_to >= valid_from),
    constraint label_verified check (state in ('claimed', 'refused', 'withdrawn') or
        verified_at is not null and verified_by <> '' and evidence <> '' and issuer <> '' and number <> ''),
    constraint label_ended check (state in ('claimed', 'verified') or ended_at is not null),
    constraint label_reason check (state not in ('refused', 'revoked') or reason <> '')
);
create index label_seller on catalog.label (seller, id);
create index label_of_all on catalog.label (seller) where scope = 'organisation';
create index label_state on catalog.label (state, id);
grant select, insert, update on catalog.label to hub_app;

create table catalog.label_cover (
    offer  text not null references catalog.offer,
    label  text not null references catalog.label,
    primary key (offer, label)
);
create index label_cover_label on catalog.label_cover (label);
grant select, insert, delete on catalog.label_cover to hub_app;

create temporary table moving on commit drop as
    select 'lbl_0' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 25) as id, o.seller, l.*
    from catalog.label_before l join catalog.offer o on o.id = l.offer;
insert into catalog.label (id, seller, code, issuer, number, scope, valid_from, valid_to, state)
    select id, seller, code, issuer, number, 'offers', valid_from, valid_to, 'claimed' from moving;
insert into catalog.label_cover (offer, label) select offer, id from moving;
drop table catalog.label_before;

-- shows says that a label is a badge on a day.
create function catalog.shows(l catalog.label, day date) returns bool language sql immutable parallel safe
    return l.state = 'verified' and l.valid_from <= day and (l.valid_to is null or l.valid_to >= day);

-- labels_of are all labels that an offer has or had. By an array they are found in
-- the index whatever the planner thinks of the table.
-- +goose StatementBegin
create function catalog.labels_of(offer text, seller text) returns setof catalog.label language sql stable parallel safe as $$
    select l.* from catalog.label l where l.id = any(array(select c.label from catalog.label_cover c where c.offer = $1))
    union all
    select l.* from catalog.label l where l.seller = $2 and l.scope = 'organisation'
$$;
-- +goose StatementEnd

-- +goose Down
drop function catalog.labels_of;
drop function catalog.shows;
create table catalog.label_before (
    offer       text not null references catalog.offer,
    code        text not null,
    issuer      text not null default '',
    number      text not null default '',
    valid_from  date not null,
    valid_to    date,
    primary key (offer, code),
    check (valid_to is null or valid_to >= valid_from)
);
insert into catalog.label_before
    select distinct on (c.offer, l.code) c.offer, l.code, l.issuer, l.number, l.valid_from, l.valid_to
    from catalog.label l join catalog.label_cover c on c.label = l.id
    where l.state in ('claimed', 'verified', 'expired') order by c.offer, l.code, l.valid_from desc;
drop table catalog.label_cover;
drop table catalog.label;
alter table catalog.label_before rename to label;
grant select, insert, update, delete on catalog.label to hub_app;
