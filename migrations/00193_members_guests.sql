-- Buyers without an account who turned out to be a person who signs in. Their
-- rows stay where they are, under their own names: the person has both.

-- +goose Up
create table members.guest_claim (
    guest   text primary key references members.person,       -- once, and for good
    person  text not null references members.person,
    proof   text not null check (proof in ('phone', 'key')),   -- the number of its orders, or its secret
    at      timestamptz not null,
    check (guest <> person)
);
create index on members.guest_claim (person, guest);
grant select, insert on members.guest_claim to hub_app;

-- Who was claimed is a guest: nobody is reached there, nobody signs in as it, and
-- it claims nobody.
-- +goose StatementBegin
create function members.check_guest() returns trigger language plpgsql as $$
begin
    perform from members.person where id in (new.guest, new.person) order by id for update;
    if exists (select from members.person where id = new.guest and (phone is not null or email is not null))
        or exists (select from members.session where person = new.guest)
        or exists (select from members.membership where person = new.guest)
        or exists (select from members.guest_claim where person = new.guest or guest = new.person) then
        raise exception 'not a guest' using errcode = 'check_violation', constraint = 'guest_claim_guest';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger check_guest before insert on members.guest_claim for each row execute function members.check_guest();

-- +goose Down
drop table members.guest_claim;
drop function members.check_guest;
