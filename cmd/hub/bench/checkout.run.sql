select bench.checkout();
