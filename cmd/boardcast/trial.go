package main

import (
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"boardcast/board"
	"boardcast/pipeline"
	"boardcast/pipeline/gst"
	"boardcast/pipeline/trial"
)

// trialCommand is the hidden command of the children in which encoders are tried.
const trialCommand = "trial-encoder"

// newTrialEncoder is the child's side of a trial: a spec on standard input, what was seen on standard output, as JSON.
func newTrialEncoder(stdin io.Reader, stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:    trialCommand,
		Short:  "Try one encoder; for boardcast's own use",
		Hidden: true,
		Args:   noArgs,
		RunE: func(*cobra.Command, []string) error {
			return trial.Serve(stdin, stdout, gst.BeginTrial, gst.Try)
		},
	}
}

// given describes this machine to the pipeline, with the prover that tries encoders. save writes the trials' verdicts to the
// cache; where that can't be written, they are tried again at the next start.
func given(fresh bool, log *slog.Logger) (g pipeline.Given, trials *trial.Trials, save func()) {
	root := os.DirFS("/")
	g = pipeline.Given{Board: board.Detect(root), Machine: gst.Machine()}
	cache := openTrialCache(trial.Environment(root, g.Machine.GStreamer, buildVersion()), fresh)
	trials = trial.New(trial.Child{Command: trialChild}.Run, cache, log)
	g.Trials = trials
	return g, trials, func() {
		if err := cache.Save(); err != nil {
			log.Debug("save trials", "error", err)
		}
	}
}

// trialChild is this program again.
func trialChild() *exec.Cmd {
	cmd := exec.Command(ownProgram(), trialCommand) //nolint:noctx // its runner ends it, with its process group
	cmd.Args[0] = os.Args[0]                        // a program of several names knows itself by it
	return cmd
}

// ownProgram is this program's file.
func ownProgram() string {
	program, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return program
}

// openTrialCache opens the cache of the trials. Without a folder for it nothing is remembered.
func openTrialCache(environment string, fresh bool) *trial.Cache {
	dir := cacheDir()
	if dir == "" {
		return nil
	}
	return trial.OpenCache(filepath.Join(dir, "trials.json"), environment, fresh)
}
