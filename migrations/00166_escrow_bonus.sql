-- What the market adds for a seller whose buyer pays less than the price: it is
-- given with the goods' legs as they are released, and taken back with them.

-- +goose Up
alter table escrow.hold
    add column bonus        bigint not null default 0,  -- promised, in centimes, beside the amount
    add column bonus_given  bigint not null default 0,  -- with what was released
    add column bonus_back   bigint not null default 0,  -- of that, with what was taken back
    add constraint hold_bonus check (bonus >= 0 and (bonus = 0 or legs[1] + legs[2] + legs[3] + legs[4] > 0)),
    -- Exactly in proportion to what was released of the goods, rounded down.
    add constraint hold_bonus_given check (bonus_given = case when bonus = 0 then 0 else
        div(bonus::numeric * (gone[1] + gone[2] + gone[3] + gone[4]), legs[1] + legs[2] + legs[3] + legs[4]) end),
    -- Nothing of it stays when all that was released of the goods is taken back.
    add constraint hold_bonus_back check (bonus_back between 0 and bonus_given
        and (bonus_back = bonus_given or gone[1] + gone[2] + gone[3] + gone[4] > taken[1] + taken[2] + taken[3] + taken[4]));

-- +goose Down
alter table escrow.hold drop column bonus, drop column bonus_given, drop column bonus_back;
