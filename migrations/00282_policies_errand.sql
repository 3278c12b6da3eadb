-- Since when insurers are asked, or told, something that they have not answered:
-- after some days a person sees to it.

-- +goose Up
create table policies.errand (
    subject text primary key,
    since   timestamptz not null
);
grant select, insert, delete on policies.errand to hub_app;
alter table policies.gap drop constraint gap_kind_check,
    add constraint gap_kind_check check (kind in ('missing_there', 'missing_here', 'amount', 'commission', 'totals', 'product_changed', 'product_invalid', 'quote_sum', 'refund_sum', 'claim_sum', 'policy_contradicted', 'claim_changed', 'no_answer'));

-- +goose Down
delete from policies.gap where kind = 'no_answer';
alter table policies.gap drop constraint gap_kind_check,
    add constraint gap_kind_check check (kind in ('missing_there', 'missing_here', 'amount', 'commission', 'totals', 'product_changed', 'product_invalid', 'quote_sum', 'refund_sum', 'claim_sum', 'policy_contradicted', 'claim_changed'));
drop table policies.errand;
