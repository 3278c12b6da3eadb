package certify

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// Line is a result as people read it.
func (r Result) Line() string {
	switch {
	case r.Skipped != "":
		return fmt.Sprintf("skip  %s  %s (%s)", r.ID, r.Title, r.Skipped)
	case r.Passed:
		return fmt.Sprintf("ok    %s  %s (%s)", r.ID, r.Title, r.Took.Round(time.Millisecond))
	}
	return fmt.Sprintf("FAIL  %s  %s\n            %s", r.ID, r.Title, r.Found)
}

// Failed are the cases that were not passed.
func (r Report) Failed() (all []Result) {
	for _, one := range r.Results {
		if !one.Passed && one.Skipped == "" {
			all = append(all, one)
		}
	}
	return all
}

type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suite  `xml:"testsuite"`
	}
	suite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		At       string      `xml:"timestamp,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Seconds string   `xml:"time,attr"`
		Failure *message `xml:"failure"`
		Skipped *message `xml:"skipped"`
	}
	message struct {
		Text string `xml:"message,attr"`
	}
)

// JUnit writes a report as build servers read it.
func (r Report) JUnit(w io.Writer) error {
	s := suite{Name: r.Protocol + " " + r.Connector, Tests: len(r.Results), At: r.At.Format("2006-01-02T15:04:05"), Failures: len(r.Failed())}
	for _, one := range r.Results {
		c := junitCase{Class: r.Protocol + "." + string(one.Level), Name: one.ID + " " + one.Title, Seconds: fmt.Sprintf("%d.%03d", one.Took.Milliseconds()/1000, one.Took.Milliseconds()%1000)}
		switch {
		case one.Skipped != "":
			c.Skipped = &message{one.Skipped}
			s.Skipped++
		case !one.Passed:
			c.Failure = &message{one.Found}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(suites{Suites: []suite{s}})
}
