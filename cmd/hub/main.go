// Command hub is Tiwiza: a marketplace and payments hub for cooperatives.
//
// Every setting is a flag or a HUB_… variable; hub --help lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"tiwiza/pkg/telemetry"
)

// version is set when a release is built.
var version = "dev"

// Settings are shared by all commands.
type Settings struct {
	DataDir     string `help:"Where the hub keeps what is its own." env:"HUB_DATA_DIR" default:"./var" type:"path"`
	DatabaseURL string `help:"A PostgreSQL database that this user owns. Without it the hub keeps its own server under the data directory." env:"HUB_DATABASE_URL"`
	Log         string `help:"How much to log." env:"HUB_LOG" default:"info" enum:"debug,info,warn,error"`
	LogFormat   string `help:"How to log; auto is text on a terminal and JSON elsewhere." env:"HUB_LOG_FORMAT" default:"auto" enum:"auto,text,json"`
}

type cli struct {
	Settings

	Run       runCmd       `cmd:"" help:"Start everything for a demonstration: database, tables, market, stand-in partners, hub."`
	Serve     serveCmd     `cmd:"" help:"Serve the hub."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the database to the newest version."`
	Seed      seedCmd      `cmd:"" help:"Fill an empty database with the demonstration market."`
	Verify    verifyCmd    `cmd:"" help:"Prove the books: run every invariant, print its count, exit 1 on any violation."`
	Demo      demoCmd      `cmd:"" help:"Play the market's people over HTTP, against a running demonstration hub, or on one of its own."`
	Openapi   openapiCmd   `cmd:"" help:"Print the interface's OpenAPI 3.1 document."`
	Machine   machineCmd   `cmd:"" help:"Print the escrow's moves as a page."`
	Promises  promisesCmd  `cmd:"" help:"Print what buyers, cooperatives and banks may rely on, as a page."`
	Certify   certifyCmd   `cmd:"" help:"Play the hub against a partner's connector, say what it has proved, and sign it."`
	Relevance relevanceCmd `cmd:"" help:"Ask each search engine the graded queries over the demonstration market, and print how well it answers."`
	Bench     benchCmd     `cmd:"" help:"Measure the hub against the least the same server can do, as ratios."`
	Postgres  postgresCmd  `cmd:"" help:"Run a command beside a throw-away PostgreSQL server (for tests)."`
}

func main() {
	// The hub's heap is a few megabytes: let it grow further before each
	// collection, for a tenth less work. GOGC says otherwise.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	// Pictures take hundreds of megabytes for a second: collect sooner then.
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(768 << 20)
	}
	var c cli
	k := kong.Parse(&c, kong.Name("hub"), kong.Description("Tiwiza: a marketplace and payments hub for cooperatives."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	log, err := logger(c.Settings)
	k.FatalIfErrorf(err)
	slog.SetDefault(log)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k.BindTo(ctx, (*context.Context)(nil))
	k.Bind(&c.Settings)
	err = k.Run()
	if code, ok := errors.AsType[exitCode](err); ok {
		os.Exit(int(code))
	}
	if err != nil && !(errors.Is(err, context.Canceled) && ctx.Err() != nil) {
		fmt.Fprintln(os.Stderr, "hub:", err)
		os.Exit(1)
	}
}

// exitCode ends the process without another word.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func logger(s Settings) (*slog.Logger, error) {
	format := s.LogFormat
	if format == "auto" {
		format = "json"
		if st, err := os.Stderr.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			format = "text"
		}
	}
	return telemetry.Logs(os.Stderr, format, s.Log)
}
