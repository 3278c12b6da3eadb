package orders

// CreditAll credits amounts of an invoice whose parts are totals by rate, in
// their order, and gives what is left of it: VAT in it, and VAT.
func CreditAll(parts map[int]int64, amounts []int64) (left, vat []int64) {
	var all []vatPart
	for _, bp := range sortedRates(parts) {
		all = append(all, vatPart{BasisPoints: bp, Total: parts[bp], VAT: vatIn(parts[bp], bp)})
	}
	for _, a := range amounts {
		whole, _ := taxed(all)
		if a = min(a, whole); a > 0 {
			all = less(all, credited(a, all))
		}
	}
	for _, p := range all {
		left, vat = append(left, p.Total), append(vat, p.VAT)
	}
	return left, vat
}
