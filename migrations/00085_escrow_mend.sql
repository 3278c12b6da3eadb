-- What a chargeback takes of a refund that came back, what covers it later, and
-- refunds that go on once their chargeback is won.

-- +goose Up
-- When a sign of delivery is missing at the latest; cases put it off.
alter table escrow.hold add column sign_due timestamptz;
update escrow.hold set sign_due = shipped_at + interval '15 days' where shipped_at is not null;

-- Of a lost chargeback: what was taken of its orders. The rest was our loss, and
-- comes back if a refund that had arrived does.
alter table escrow.contest
    add column taken bigint not null default 0,
    add constraint contest_taken check (taken between 0 and amount and (state = 'lost' or taken = 0)) not valid;
update escrow.contest set taken = amount where state = 'lost';
alter table escrow.contest validate constraint contest_taken;

-- How many holds keep what covers a stake inside the seller's available money.
alter table escrow.contested add column keeps int not null default 0;
update escrow.contested set keeps = 1 where kept > 0;
alter table escrow.contested add constraint contested_keeps check ((keeps > 0) = (kept > 0));

-- A dispute whose money a chargeback took is resolved with nothing to share.
alter table disputes.dispute
    drop constraint dispute_shared,
    add constraint dispute_shared check (state = 'resolved' or back = 0 and release = 0);

-- A refund that a chargeback displaced is made anew once that is won, unless
-- somebody has decided otherwise meanwhile: what it goes on as.
alter table charges.refund
    add column displaced_by text not null default '',
    add column resumed_as   text not null default '',
    add constraint refund_displaced check (displaced_by = '' or state = 'rejected'),
    add constraint refund_resumed check (resumed_as = '' or displaced_by <> '');
create index refund_displaced on charges.refund (charge) where displaced_by <> '' and resumed_as = '';

-- +goose Down
drop index charges.refund_displaced;
alter table charges.refund drop column displaced_by, drop column resumed_as;
alter table disputes.dispute
    drop constraint dispute_shared,
    add constraint dispute_shared check (state = 'resolved' and back + release > 0 or back = 0 and release = 0) not valid;
alter table escrow.contested drop column keeps;
alter table escrow.contest drop column taken;
alter table escrow.hold drop column sign_due;
