-- A buyer who agreed to something when it ordered has said so in the ledger of accords.

-- +goose Up
select accords.was_said(c.at, g.buyer, c.kind, c.grp, 'given', '', decode(c.hash, 'hex'), null, 'page') from orders.consent c join orders.order_group g on g.id = c.grp order by c.grp, c.kind;

-- +goose StatementBegin
create function orders.consent_is_said() returns trigger language plpgsql as $$
begin
    if not exists (select from orders.order_group g where g.id = new.grp and accords.newest(g.buyer, new.kind, g.id) = 'given') then
        raise exception 'the buyer of % has not said that it agrees to %', new.grp, new.kind using errcode = 'check_violation', constraint = 'consent_is_said';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create constraint trigger consent_is_said after insert on orders.consent deferrable initially deferred for each row execute function orders.consent_is_said();

-- +goose Down
drop trigger consent_is_said on orders.consent;
drop function orders.consent_is_said();
