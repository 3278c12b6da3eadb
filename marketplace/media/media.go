// Package media keeps what members upload: photographs, which are made anew in
// four widths; voice notes; and proofs, which only their owner and the market's
// operator may read. A file is known by what is in it: the same owner who sends
// the same bytes again gets the file that is there. What nothing uses goes after
// a day, and its content with it.
package media

import (
	"time"

	"tiwiza/pkg/fault"
)

// Errors of files.
var (
	ErrNotFound    = fault.New(fault.NotFound, "media.not_found", "There is no such file.")
	ErrGone        = fault.New(fault.Conflict, "media.gone", "The file is not there any more, or is of another kind; send it again.")
	ErrTooMany     = fault.New(fault.Conflict, "media.too_many", "You have sent many files that nothing uses; use them first, or wait a day until they are gone.")
	ErrUnreachable = fault.New(fault.Unavailable, "media.unavailable", "Files cannot be kept or read just now; please try again in a moment.")
	ErrNoSound     = fault.New(fault.Invalid, "media.not_a_sound", "This is not a voice note. Send a recording as Ogg Opus, MP3, M4A or WebM.")
	ErrFilm        = fault.New(fault.Invalid, "media.film", "This is a film. Send the sound alone.")
	ErrLongSound   = fault.New(fault.Invalid, "media.sound_too_large", "The recording is too long. Send one of at most 3 MB: a minute or two is plenty.")
	ErrBadSound    = fault.New(fault.Invalid, "media.sound_broken", "The recording is damaged or breaks off. Record it again, or send the file once more.")
	ErrNoProof     = fault.New(fault.Invalid, "media.not_a_proof", "This is not a document that can be kept as a proof. Send a PDF, or a photograph of the paper.")
	ErrLongProof   = fault.New(fault.Invalid, "media.proof_too_large", "The document is too large. Send a PDF of at most 10 MB.")
	ErrBadProof    = fault.New(fault.Invalid, "media.proof_broken", "The PDF breaks off. Send the file once more.")
	ErrNoWare      = fault.New(fault.Invalid, "media.not_a_ware", "This is no file that can be sold. Send a PDF, EPUB or ZIP, a photograph, a sound or a film.")
	ErrLongWare    = fault.New(fault.Invalid, "media.ware_too_large", "The file is too large. Send one of at most 12 MB, or several parts.")
	ErrOwner       = fault.New(fault.Invalid, "media.owner", "Say whose file it is: the id of the member (org_… or per_…).")
)

// A Kind is what a file is for.
type Kind string

// The kinds. Pictures and sounds that something uses are public; proofs, the
// tables that members hand in, and what is sold as a file never are.
const (
	Picture Kind = "picture"
	Sound   Kind = "sound"
	Proof   Kind = "proof"
	Sheet   Kind = "sheet"
	Ware    Kind = "ware" // what is sold as a file: only its owner and its buyers read it
)

// A State is whether anything uses a file: new → used → dropped. What is new or
// dropped goes after a while.
type State string

// The states.
const (
	Fresh   State = "new"
	Used    State = "used"
	Dropped State = "dropped"
)

// A File is one thing that somebody uploaded.
type File struct {
	ID            string
	Owner         string
	Kind          Kind
	Type          string // its media type, told by its bytes
	Name          string // as its owner calls it
	Size          int    // of what is kept
	Width, Height int    // of a picture, set upright
	Blob          string
	State         State
	CreatedAt     time.Time
}

// An Upload is what somebody sends.
type Upload struct {
	Owner string
	Kind  Kind
	Name  string
	Bytes []byte
}

// What is taken.
const (
	maxSound = 3 << 20
	maxProof = 10 << 20
	maxWare  = 12 << 20
	maxIdle  = 100 // files of one owner that nothing uses
	maxName  = 120 // letters
)

// How long what nothing uses is kept: long enough for somebody who fills in a
// form, and for an upload that is under way.
const (
	idle  = 24 * time.Hour
	grace = time.Hour
)
