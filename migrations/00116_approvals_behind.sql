-- Who made the key that asked; that person may not approve either.

-- +goose Up
alter table approvals.request add behind text not null default '', add unique (id, asked_by, behind);
alter table approvals.vote
    add behind text not null default '',
    add foreign key (request, asked_by, behind) references approvals.request (id, asked_by, behind),
    add constraint vote_not_behind check (by <> behind);

-- +goose Down
alter table approvals.vote drop behind;
alter table approvals.request drop behind;
