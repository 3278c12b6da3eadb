-- A consent may be for opening an account.

-- +goose Up
alter table sharing.consent drop constraint consent_purpose_check,
    add constraint consent_purpose_check check (purpose in ('credit', 'account', 'insurance', 'support', 'label', 'programme', 'audit'));

-- +goose Down
alter table sharing.consent drop constraint consent_purpose_check,
    add constraint consent_purpose_check check (purpose in ('credit', 'insurance', 'support', 'label', 'programme', 'audit'));
