-- Promotions that the market pays: each has a budget beside its uses, and above a
-- sum it waits for a second person. Some are one person's own, to be used once.

-- +goose Up
alter table promotions.promotion
    drop constraint promotion_seller_check,
    alter column slot drop not null,
    add column payer      text not null default 'seller' check (payer in ('seller', 'market')),
    add column person     text not null default '',  -- who alone may use it; '': everybody
    add column made_for   text not null default '',  -- what a person was given it for
    add column budget     bigint check (budget > 0),
    add column spent      bigint not null default 0, -- of the budget
    add column made_by    text not null default '',  -- of the market's people, who alone decided on it; '': two did, or are to
    add column agreed_at  timestamptz;               -- from when it can be used
update promotions.promotion set agreed_at = made_at;
alter table promotions.promotion
    add constraint promotion_payer check ((payer = 'market') = (seller = '') and (payer = 'market') = (budget is not null)),
    add constraint promotion_spent check (spent >= 0 and spent <= coalesce(budget, 0)),
    add constraint promotion_slotted check ((slot is null) = (person <> '')),
    add constraint promotion_person check (person = '' or payer = 'market' and code <> '' and kind = 'amount' and total = 1 and budget = amount),
    add constraint promotion_agreed check (agreed_at is not null or payer = 'market' and used = 0 and spent = 0);
create index promotion_offered on promotions.promotion (seller, code) where ended_at is null;
create index promotion_listed on promotions.promotion (seller, id) where person = '';
create index promotion_person on promotions.promotion (person, id) where person <> '';
create index promotion_made_by on promotions.promotion (made_by, made_at) where made_by <> '';
drop index promotions.promotion_seller_id_idx;
grant update (spent, agreed_at) on promotions.promotion to hub_app;

-- An order may use one promotion of each payer.
alter table promotions.redemption
    drop constraint redemption_pkey,
    add primary key (order_id, promotion);

-- +goose Down
alter table promotions.redemption drop constraint redemption_pkey, add primary key (order_id);
create index on promotions.promotion (seller, id);
drop index promotions.promotion_offered, promotions.promotion_listed, promotions.promotion_person, promotions.promotion_made_by;
alter table promotions.promotion drop column payer, drop column person, drop column made_for, drop column budget, drop column spent,
    drop column made_by, drop column agreed_at, alter column slot set not null, add constraint promotion_seller_check check (seller <> '');
