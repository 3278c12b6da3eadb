-- What is said in the ledger changes what it allows, in the same unit of work.

-- +goose Up
-- A number of the hub's, and never an address or a telephone number.
alter table accords.accord add constraint accord_who check (who <> '' and who !~ '[@+ ]');
create constraint trigger marketing_is_stance after insert on accords.accord deferrable initially deferred
    for each row when (new.subject = 'marketing') execute function relations.said_is_stance();
create constraint trigger dossier_is_consent after insert on accords.accord deferrable initially deferred
    for each row when (new.subject = 'dossier') execute function sharing.said_is_consent();
create constraint trigger notices_are_wishes after insert on accords.accord deferrable initially deferred
    for each row when (new.subject = 'notices') execute function notices.said_are_wishes();
drop function accords.was_said(timestamptz, text, text, text, text, text, bytea, timestamptz, text);

-- +goose Down
alter table accords.accord drop constraint accord_who;
drop trigger notices_are_wishes on accords.accord;
drop trigger dossier_is_consent on accords.accord;
drop trigger marketing_is_stance on accords.accord;
