package limits

// What the exactness rests on, for its tests.
var (
	Ample    = Figure.ample
	Judge    = Figure.judge
	Sentence = Figure.sentence
	Verdict  = verdict
	Fold     = fold
)

// Crowd is how many may look at once.
const Crowd = crowd
