package world

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// Routes adds the controls that tests and demonstrations use: what was
// executed, the faults, the clock, and a page of them for people.
func (w *World) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /livez", func(rw http.ResponseWriter, _ *http.Request) {
		Answer(rw, http.StatusOK, map[string]string{"name": "hubsim"})
	})
	mux.HandleFunc("GET /truth", func(rw http.ResponseWriter, r *http.Request) {
		Answer(rw, http.StatusOK, map[string]any{"executed": w.Truth(r.URL.Query().Get("ref"))})
	})
	mux.HandleFunc("GET /faults", func(rw http.ResponseWriter, _ *http.Request) { w.answerFaults(rw) })
	mux.HandleFunc("POST /faults", w.postFault)
	ours := http.NewCrossOriginProtection() // a page elsewhere arms nothing
	mux.HandleFunc("GET /{$}", w.home)
	mux.Handle("POST /{$}", ours.Handler(http.HandlerFunc(w.postHome)))
	mux.HandleFunc("GET /clock", func(rw http.ResponseWriter, _ *http.Request) { w.answerClock(rw) })
	mux.HandleFunc("POST /clock", w.postClock)
}

func (w *World) answerFaults(rw http.ResponseWriter) {
	Answer(rw, http.StatusOK, map[string]any{"armed": w.ArmedFaults(), "partners": Partners, "faults": Faults})
}

func (w *World) answerClock(rw http.ResponseWriter) {
	Answer(rw, http.StatusOK, map[string]any{"now": w.Now()})
}

func (w *World) postFault(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Partner string `json:"partner"`
		Fault   string `json:"fault"`
		Times   *int   `json:"times"`
	}
	if !Read(rw, r, &in) {
		return
	}
	if in.Times == nil {
		once := 1
		in.Times = &once
	}
	switch err := w.Arm(Armed{in.Partner, in.Fault, *in.Times}); {
	case errors.Is(err, ErrUnknownFault):
		Problem(rw, http.StatusBadRequest, "sim.unknown_fault", err.Error())
	case errors.Is(err, ErrSenseless):
		Problem(rw, http.StatusUnprocessableEntity, "sim.senseless_fault", err.Error())
	case err != nil:
		Problem(rw, http.StatusInternalServerError, "sim.journal", err.Error())
	default:
		w.answerFaults(rw)
	}
}

func (w *World) postClock(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Advance string `json:"advance"`
	}
	if !Read(rw, r, &in) {
		return
	}
	d, err := time.ParseDuration(in.Advance)
	if err != nil {
		Problem(rw, http.StatusBadRequest, "sim.duration", `advance is a duration like "72h" or "90s"`)
		return
	}
	if err := w.Advance(d); err != nil {
		Problem(rw, http.StatusUnprocessableEntity, "sim.clock", err.Error())
		return
	}
	w.answerClock(rw)
}

// Read reads a JSON body; when it cannot, it answers a problem and is false.
func Read(rw http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 1<<16))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		Problem(rw, http.StatusBadRequest, "sim.json", err.Error())
		return false
	}
	return true
}

// Answer writes JSON.
func Answer(rw http.ResponseWriter, status int, v any) {
	write(rw, "application/json", status, v)
}

// Problem writes an RFC 9457 problem.
func Problem(rw http.ResponseWriter, status int, code, detail string) {
	write(rw, "application/problem+json", status, map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "code": code, "detail": detail,
	})
}

func write(rw http.ResponseWriter, kind string, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("world: " + err.Error())
	}
	rw.Header().Set("Content-Type", kind)
	rw.WriteHeader(status)
	_, _ = rw.Write(append(b, '\n')) // a caller that went away has nothing to be told
}
