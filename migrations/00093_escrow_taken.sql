-- What a lost chargeback took of each order: a refund that it displaced is paid
-- as far as that was less.

-- +goose Up
alter table escrow.contested add column taken bigint not null default 0 check (taken >= 0 and not (open and taken > 0));
-- Of those that are over only the stake is known; nothing more is paid for them.
update escrow.contested set taken = amount where not open and contest in (select id from escrow.contest where state = 'lost');

-- +goose Down
alter table escrow.contested drop column taken;
