-- What is owed to a carrier or an insurer stands in a busy account of several
-- parts, which has no floor: the hub may have to book that one was paid too much.
-- A payout never takes it below zero, whoever posts it: all parts are locked, so
-- that two at once are seen too.

-- +goose Up
-- +goose StatementBegin
create function ledger.payee_covered() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    payee record;
begin
    for payee in
        select a.id, a.code from ledger.entry e join ledger.account a on a.id = e.account_id
        where e.transfer_id = new.id and e.amount > 0 and a.code like 'payable:%'
    loop
        perform from ledger.balance where account_id = payee.id order by shard for update;
        if (select sum(cr - dr) from ledger.balance where account_id = payee.id) < 0 then
            raise exception '% has less than transfer % pays out', payee.code, new.id using errcode = 'HB013';
        end if;
    end loop;
    return null;
end $$;
-- +goose StatementEnd
create constraint trigger payee_covered after insert on ledger.transfer deferrable initially deferred
    for each row when (new.kind = 'payout.intent') execute function ledger.payee_covered();

-- +goose Down
drop trigger payee_covered on ledger.transfer;
drop function ledger.payee_covered();
