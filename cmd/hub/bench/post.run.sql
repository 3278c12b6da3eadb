\set payer random(:first, :last)
\set payee :first + (:payer - :first + random(1, :last - :first)) % (:last - :first + 1)
\set centimes random(1, 500)
select bench.post(:payer, :payee, :centimes);
