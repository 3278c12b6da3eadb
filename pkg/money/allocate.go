package money

import (
	"math/big"
	"sort"
)

// Allocate shares whole centimes by weights by the largest-remainder method
// (Hamilton): each part is rounded toward zero, and the centimes left over go
// one each to the parts that lost most, the earlier first on a tie. A negative
// whole is shared like its opposite. It panics on a negative weight or when
// all are zero and the whole is not.
func Allocate(whole int64, weights ...int64) []int64 {
	total := new(big.Int)
	for _, w := range weights {
		if w < 0 {
			panic("money: a weight is negative")
		}
		total.Add(total, big.NewInt(w))
	}
	parts := make([]int64, len(weights))
	if whole == 0 {
		return parts
	}
	if total.Sign() == 0 {
		panic("money: all weights are zero")
	}
	sign, abs := int64(1), new(big.Int).SetInt64(whole)
	if whole < 0 {
		sign = -1
		abs.Neg(abs)
	}
	lost := make([]*big.Int, len(weights))
	left := new(big.Int).Set(abs)
	for i, w := range weights {
		q, r := new(big.Int).QuoRem(new(big.Int).Mul(abs, big.NewInt(w)), total, new(big.Int))
		parts[i], lost[i] = sign*q.Int64(), r
		left.Sub(left, q)
	}
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return lost[order[a]].Cmp(lost[order[b]]) > 0 })
	for i := range int(left.Int64()) {
		parts[order[i]] += sign
	}
	return parts
}
