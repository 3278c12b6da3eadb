-- A document's head stays in its row, and so does whatever sorts or filters it: to
-- rank 400 documents read 6,400 pages of what lay beside the table. Only the words
-- of all texts and the source lie there now.

-- +goose Up
alter table search.document alter head set storage main, alter id set storage main, alter seller set storage main,
    alter category set storage main, alter region set storage main, alter labels set storage main, alter digest set storage main;
update search.document set head = head || ''::tsvector; -- written anew, where it belongs

-- +goose Down
alter table search.document alter head set storage extended, alter id set storage extended, alter seller set storage extended,
    alter category set storage extended, alter region set storage extended, alter labels set storage extended, alter digest set storage extended;
