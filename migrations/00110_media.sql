-- What members upload: the contents, by digest; the files that are made of them;
-- and what uses each file. What nothing uses goes.

-- +goose Up
create schema media;
grant usage on schema media to hub_app;

-- One content in the bucket. It is written here before it is put there, so that
-- none can be there that nobody knows of. loose: no file is made of it yet, or
-- any more; doomed: it is being deleted, and its key is never used again.
create table media.blob (
    key         text primary key check (key ~ '^[0-9a-f]{64}-[0-9a-f]{16}$'),
    sha256      bytea not null,
    size        int not null check (size >= 0),
    state       text not null check (state in ('loose', 'bound', 'doomed')),
    touched_at  timestamptz not null,
    check (sha256 = decode(left(key, 64), 'hex'))
);
create unique index blob_once on media.blob (sha256) where state <> 'doomed';
create index blob_loose on media.blob (touched_at) where state <> 'bound';
grant select, insert, update, delete on media.blob to hub_app;

-- new: nothing uses it yet; dropped: nothing uses it any more. sha256 is of the
-- bytes that were sent, which the same owner sends again in vain; blob is what is
-- kept of them.
create table media.file (
    id          text primary key,
    owner       text not null check (owner <> ''),
    kind        text not null check (kind in ('picture', 'sound', 'proof')),
    type        text not null,
    name        text not null default '',
    sha256      bytea not null check (length(sha256) = 32),
    size        int not null check (size > 0),
    width       int not null default 0,
    height      int not null default 0,
    blob        text not null references media.blob,
    state       text not null check (state in ('new', 'used', 'dropped')),
    created_at  timestamptz not null,
    seen_at     timestamptz not null,
    actor       text not null default platform.principal(),
    check ((kind = 'picture') = (width > 0 and height > 0))
);
create unique index file_same on media.file (owner, kind, sha256) where state <> 'dropped';
create index file_idle on media.file (seen_at) where state <> 'used';
create index file_blob on media.file (blob);
grant select, insert, update, delete on media.file to hub_app;

create table media.rendition (
    file     text not null references media.file on delete cascade,
    nominal  int not null check (nominal > 0),
    width    int not null check (width > 0),
    height   int not null check (height > 0),
    blob     text not null references media.blob,
    primary key (file, nominal)
);
create index rendition_blob on media.rendition (blob);
grant select, insert, delete on media.rendition to hub_app;

-- A file is used by whatever has a row here, and stays as long as there is one.
create table media.use (
    file     text not null references media.file,
    subject  text not null check (subject <> ''),
    primary key (file, subject)
);
grant select, insert, delete on media.use to hub_app;

-- +goose Down
drop schema media cascade;
