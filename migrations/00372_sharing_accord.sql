-- Whether a consent lets somebody see a dossier is what its owner said last of it in the
-- ledger of accords. One that ended with its days needs no word: the ledger says until when.

-- +goose Up
alter table sharing.consent no force row level security;
select accords.was_said(at, owner, 'dossier', id, word, '', digest, until, channel) from (
    select id, owner, 1 as turn, case when state = 'refused' then answered_at else since end as at, case when state = 'refused' then 'refused' else 'given' end as word, digest,
        case when state <> 'refused' then until end as until, case when evidence = 'key' or state = 'refused' then 'api' else 'page' end as channel
    from sharing.consent where state in ('granted', 'refused', 'withdrawn') or state = 'expired' and since is not null
    union all
    select id, owner, 2, ended_at, 'withdrawn', digest, null, 'page' from sharing.consent where state = 'withdrawn') w order by w.id, w.turn;
alter table sharing.consent force row level security;

-- +goose StatementBegin
create function sharing.same_word(c sharing.consent) returns bool language sql stable as $$
    select case
        when c.state = 'requested' then accords.newest(c.owner, 'dossier', c.id) is null
        when c.state = 'expired' then accords.newest(c.owner, 'dossier', c.id) is not distinct from case when c.since is not null then 'given' end
        else accords.newest(c.owner, 'dossier', c.id) is not distinct from case c.state when 'granted' then 'given' else c.state end end
$$;
create function sharing.consent_is_said() returns trigger language plpgsql as $$
begin
    if not (select sharing.same_word(c) from sharing.consent c where id = new.id) then
        raise exception 'consent % and what its owner said last differ', new.id using errcode = 'check_violation', constraint = 'consent_is_said';
    end if;
    return null;
end $$;
create function sharing.said_is_consent() returns trigger language plpgsql as $$
begin
    if not exists (select from sharing.consent c where id = new.about and owner = new.who and sharing.same_word(c)) then
        raise exception 'consent % and what its owner said last differ', new.about using errcode = 'check_violation', constraint = 'consent_is_said';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create constraint trigger consent_is_said after insert or update of state on sharing.consent deferrable initially deferred
    for each row execute function sharing.consent_is_said();

-- +goose Down
drop trigger consent_is_said on sharing.consent;
drop function sharing.said_is_consent();
drop function sharing.consent_is_said();
drop function sharing.same_word(sharing.consent);
