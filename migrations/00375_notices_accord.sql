-- By which channels somebody is told, and of what not, is what it said last of each in
-- the ledger of accords.

-- +goose Up
select accords.was_said(s.changed_at, s.owner, 'notices', x.about, 'refused', '', null, null, 'api')
from notices.settings s, lateral (
    select unnest(s.off) as about
    union all select c from unnest(array['email', 'sms', 'whatsapp']) as c where s.channels <> '{}' and not c = any (s.channels)) x
order by s.owner, x.about;

-- same_words says whether wishes are what their owner said last: who said nothing of
-- something is told it, by each channel.
-- +goose StatementBegin
create function notices.same_words(s notices.settings) returns bool language sql stable as $$
    select not exists (
        select from (
            select unnest(s.off) as about
            union select accords.abouts(s.owner, 'notices')
            union select unnest(array['email', 'sms', 'whatsapp'])) x
        where (coalesce(accords.newest(s.owner, 'notices', x.about), 'given') = 'given')
            <> case when x.about in ('email', 'sms', 'whatsapp') then s.channels = '{}' or x.about = any (s.channels) else not x.about = any (s.off) end)
$$;
create function notices.wishes_are_said() returns trigger language plpgsql as $$
begin
    if not (select notices.same_words(s) from notices.settings s where owner = new.owner) then
        raise exception 'how % is told and what it said last differ', new.owner using errcode = 'check_violation', constraint = 'wishes_are_said';
    end if;
    return null;
end $$;
create function notices.said_are_wishes() returns trigger language plpgsql as $$
begin
    if not exists (select from notices.settings s where owner = new.who and notices.same_words(s)) then
        raise exception 'how % is told and what it said last differ', new.who using errcode = 'check_violation', constraint = 'wishes_are_said';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create constraint trigger wishes_are_said after insert or update of channels, off on notices.settings deferrable initially deferred
    for each row execute function notices.wishes_are_said();

-- +goose Down
drop trigger wishes_are_said on notices.settings;
drop function notices.said_are_wishes();
drop function notices.wishes_are_said();
drop function notices.same_words(notices.settings);
