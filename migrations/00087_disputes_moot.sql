-- A dispute whose money a chargeback took is resolved with nothing to share.

-- +goose Up
-- An early form of 00085 did the same; over it this changes nothing.
alter table disputes.dispute drop constraint if exists dispute_shared;
alter table disputes.dispute
    add constraint dispute_shared check (state = 'resolved' or back = 0 and release = 0);

-- +goose Down
alter table disputes.dispute
    drop constraint dispute_shared,
    add constraint dispute_shared check (state = 'resolved' and back + release > 0 or back = 0 and release = 0) not valid;
