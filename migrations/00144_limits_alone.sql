-- What one of the operator's people decides alone has a sum a day, of each and
-- of all; above it a second one must agree.

-- +goose Up
alter table limits.rule
    drop constraint rule_what_check,
    drop constraint rule_per_check,
    drop constraint rule_payout,
    add constraint rule_what_check check (what in ('sale', 'payout', 'write_off', 'give_back')),
    add constraint rule_per_check check (per in ('buyer', 'seller', 'phone', 'address', 'card', 'person', 'all')),
    add constraint rule_counts check (case what when 'sale' then per <> 'person'
        when 'payout' then per in ('seller', 'all') and method = ''
        else per in ('person', 'all') and method = '' and action = 'review' end);
insert into limits.rule (id, what, per, window_s, max_amount, action, about) values
    ('write_off_person_day', 'write_off', 'person', 86400, 50000,    'review', 'What one person gives up alone of the bank''s lines in a day.'),
    ('write_off_day',        'write_off', 'all',    86400, 200000,   'review', 'What people give up alone of the bank''s lines in a day.'),
    ('give_back_person_day', 'give_back', 'person', 86400, 2000000,  'review', 'What one person alone has sellers give back in a day.'),
    ('give_back_day',        'give_back', 'all',    86400, 10000000, 'review', 'What people alone have sellers give back in a day.')
    on conflict (id) do nothing;
update limits.book set version = version + 1;

-- +goose Down
delete from limits.rule where what in ('write_off', 'give_back');
alter table limits.rule
    drop constraint rule_counts,
    drop constraint rule_per_check,
    drop constraint rule_what_check,
    add constraint rule_what_check check (what in ('sale', 'payout')),
    add constraint rule_per_check check (per in ('buyer', 'seller', 'phone', 'address', 'card', 'all')),
    add constraint rule_payout check (what = 'sale' or per in ('seller', 'all') and method = '');
