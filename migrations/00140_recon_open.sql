-- What is looked for among all that the bank ever said is found by what is
-- open, or by the bank's name of it, however long the history is.

-- +goose Up
-- What is not booked of a line is few lines, and the planner must know it.
alter table recon.line add column open bool not null generated always as (booked <> amount and state <> 'noted') stored;
drop index recon.line_open;
create index line_open on recon.line (id) where open;
-- A reference that another format cuts after 16 signs is found by these.
create index line_cut on recon.line (left(bank_ref, 16), amount, booked_on) where length(bank_ref) > 16;
create index break_open on recon.break (bank, amount) where state <> 'resolved';
create index break_closed on recon.break (about) where kind = 'closed' and state <> 'resolved';
create index closing_made on recon.closing (at, id);

-- +goose Down
drop index recon.closing_made;
drop index recon.break_closed;
drop index recon.break_open;
drop index recon.line_cut;
drop index recon.line_open;
alter table recon.line drop column open;
create index line_open on recon.line (statement) where booked <> amount and state <> 'noted';
