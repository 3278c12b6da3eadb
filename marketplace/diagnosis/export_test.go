package diagnosis

// Points are what an answer counts.
func Points(r QuestionRule, a Answer) int { return r.points(a) }
