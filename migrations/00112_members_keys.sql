-- Who made a key and who gave an account, so that one person is never two: what
-- a key asks for is not decided by whoever made the key.

-- +goose Up
alter table members.api_key
    add made_by   text not null default '',         -- the person or member; '' when the hub was set up
    add made_with text not null default '',         -- with which key
    add behind    text not null default '',         -- the operator's person who made it, or the key it was made with
    add second    bool not null default false,      -- it opens when a second person has agreed
    add opened_by text not null default '',         -- who that was
    add constraint api_key_other check (opened_by = '' or second and opened_by <> made_by and opened_by <> behind),
    add constraint api_key_second check (made_by not like 'operator %' or behind <> '' and (second or role = 'seller'));
-- One person alone gives a member its first key, and no other.
create unique index api_key_first on members.api_key (subject) where made_by like 'operator %' and not second;
revoke update on members.api_key from hub_app;
grant update (revoked_at, opened_by) on members.api_key to hub_app;

alter table members.bank_account
    add given_by    text not null default '',
    add behind      text not null default '',       -- of the key it was given with
    add verified_by text not null default '';
update members.bank_account set verified_by = 'operator' where state <> 'pending';
alter table members.bank_account
    add constraint bank_account_verified check ((state = 'pending') = (verified_by = '')),
    add constraint bank_account_other check (verified_by = '' or verified_by <> given_by and verified_by <> behind);

-- +goose Down
alter table members.bank_account drop given_by, drop behind, drop verified_by;
grant update on members.api_key to hub_app;
alter table members.api_key drop made_by, drop made_with, drop behind, drop second, drop opened_by;
