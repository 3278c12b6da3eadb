-- A member that takes an insurance has agreed to it in the ledger of accords, to the
-- very text that the policy keeps.

-- +goose Up
select accords.was_said(consent_at, member, 'insurance', id, 'given', consent_lang, decode(consent_hash, 'hex'), null, case consent_way when 'agent' then 'agent' when 'key' then 'api' else 'page' end)
from policies.policy order by id;

-- +goose StatementBegin
create function policies.consent_is_said() returns trigger language plpgsql as $$
begin
    if not accords.gave(new.member, 'insurance', new.id, new.consent_hash) then
        raise exception 'the member has not said that it agrees to %', new.id using errcode = 'check_violation', constraint = 'consent_is_said';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create constraint trigger consent_is_said after insert on policies.policy deferrable initially deferred for each row execute function policies.consent_is_said();

-- +goose Down
drop trigger consent_is_said on policies.policy;
drop function policies.consent_is_said();
