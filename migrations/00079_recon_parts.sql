-- A settlement's line may bring more than it comes to: what the acquirer takes
-- off for a reason that nobody knows is not booked until people explain it.

-- +goose Up
alter table recon.line drop constraint line_booked;

-- +goose Down
alter table recon.line add constraint line_booked check (booked = 0 or sign(booked) = sign(amount) and abs(booked) <= abs(amount)) not valid;
