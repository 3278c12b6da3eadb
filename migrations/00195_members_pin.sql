-- Four digits with which a person opens its session again on a phone that several
-- share. They are never enough for money.

-- +goose Up
create table members.pin (
    person  text primary key references members.person,
    salt    bytea not null check (octet_length(salt) = 16),
    hash    bytea not null check (octet_length(hash) = 32),   -- Argon2id
    tries   int not null default 0 check (tries between 0 and 5),   -- wrong ones since the last right one or code, on all devices
    set_at  timestamptz not null
);
grant select, insert on members.pin to hub_app;
grant update (salt, hash, tries, set_at) on members.pin to hub_app;

-- A locked session opens nothing until its person types the PIN; what was opened
-- by a PIN says so, until the person proves anew who it is.
alter table members.session
    add locked_at timestamptz,
    drop constraint session_proof_check,
    add constraint session_proof_check check (proof in ('code', 'passkey', 'pin'));

-- +goose Down
update members.session set proof = 'code' where proof = 'pin';
update members.session set ended_at = now(), ended_by = 'locked' where locked_at is not null and ended_at is null;
alter table members.session
    drop locked_at,
    drop constraint session_proof_check,
    add constraint session_proof_check check (proof in ('code', 'passkey'));
drop table members.pin;
