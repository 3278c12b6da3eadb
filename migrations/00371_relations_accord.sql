-- Whether somebody is written to is what it said last in the ledger of accords: at the
-- end of each unit of work the two say the same, whichever of them was written.

-- +goose Up
-- Those who agreed before there was the ledger stand in it, as they said it.
select accords.was_said(at, person, purpose, '', word, lang, hash, null, channel) from (
    select id, at, person, purpose, case when granted then 'given' when lag(granted) over same then 'withdrawn' else 'refused' end as word, lang, decode(nullif(text_hash, ''), 'hex') as hash,
        case source when 'person' then 'page' when 'crm' then 'partner' else 'hub' end as channel
    from relations.wish window same as (partition by person, purpose order by id)) w order by w.id;

-- +goose StatementBegin
create function relations.stance_is_said() returns trigger language plpgsql as $$
begin
    if (select granted from relations.stance where person = new.person and purpose = new.purpose) is distinct from (accords.newest(new.person, new.purpose, '') = 'given') then
        raise exception 'the stance of % and what it said last differ', new.person using errcode = 'check_violation', constraint = 'stance_is_said';
    end if;
    return null;
end $$;
create function relations.said_is_stance() returns trigger language plpgsql as $$
begin
    if (select granted from relations.stance where person = new.who and purpose = new.subject) is distinct from (accords.newest(new.who, new.subject, new.about) = 'given') then
        raise exception 'the stance of % and what it said last differ', new.who using errcode = 'check_violation', constraint = 'stance_is_said';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create constraint trigger stance_is_said after insert or update of granted on relations.stance deferrable initially deferred
    for each row execute function relations.stance_is_said();

-- +goose Down
drop trigger stance_is_said on relations.stance;
drop function relations.said_is_stance();
drop function relations.stance_is_said();
