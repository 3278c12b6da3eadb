\set payee random(:first, :last)
\set centimes random(1, 500)
select bench.collect(:busy, :payee, :centimes);
