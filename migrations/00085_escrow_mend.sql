-- What a chargeback takes of a refund that came back, what covers it later, and
-- when a sign of delivery is missing.

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

-- +goose Down
alter table escrow.contested drop column keeps;
alter table escrow.contest drop column taken;
alter table escrow.hold drop column sign_due;
