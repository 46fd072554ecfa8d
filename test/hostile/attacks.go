package hostile

import (
	"context"
	"time"
)

// Scene is where an attack happens.
type Scene struct {
	Door func(stranger int) Door // of the n-th stranger, each with an address of its own
	For  time.Duration           // how long an attack goes on that has no end of its own
}

// Attack is a row of the table: what one or more strangers do. Do returns what it found, in words, and an error when what
// can be seen from outside is not as it must be. It leaves nothing of its own behind.
type Attack struct {
	Name  string
	Do    func(ctx context.Context, s Scene) (found string, err error)
	Short time.Duration // Scene.For of a plain test run, and of a long one
	Long  time.Duration
	Flags []string // of the program, beside the test's own
	// Locked tells that the program asks for a key. The doors of the scene have a right one.
	Locked bool

	Viewers int // that the attacker may have at once, if the program lets it: each takes threads and descriptors
	Sockets int // beside those of viewers, that the attacker may have at once
	// Cores is how many processor cores the program may use on top of hostileCores, the limit of the test. Each new session costs
	// processor time, and an attack from many addresses is not slowed down by a limit per address.
	Cores float64
}

// Attacks is the table. What each must not do to the program and to a viewer that watches meanwhile is the same for all.
var Attacks = []Attack{
	{Name: "answers that do not fit", Viewers: 1, Do: wrongAnswers},
	{Name: "1,000 sources in one viewer's RTP", Viewers: 1, Do: manySources},
	{Name: "5 x 200 data channels", Viewers: 5, Do: manyChannels},
	{Name: "RTCP of random sources", Viewers: 1, Do: randomRTCP, Short: 5 * time.Second, Long: 60 * time.Second},
	{Name: "a flood of NACKs", Viewers: 1, Do: floodNACK, Short: 5 * time.Second, Long: 30 * time.Second},
	{Name: "half-open sessions, 20 honest viewers", Viewers: 16, Sockets: 64, Do: halfOpen, Short: 8 * time.Second, Long: 60 * time.Second},
	{Name: "100 half-open sessions a second", Viewers: 16, Sockets: 256, Cores: 0.6, Do: hastyHalfOpen, Short: 5 * time.Second, Long: 30 * time.Second},
	{Name: "candidates as a port scanner", Viewers: 1, Do: scanPorts},
	{Name: "900 names of .local", Viewers: 1, Do: manyNames},
	{
		Name: "feedback agreed and never sent", Viewers: 1, Do: neverReport, Short: 10 * time.Second, Long: 60 * time.Second,
		Flags: []string{"--bitrate", "8M"},
	},
	{Name: "14 hostile viewers coming and going", Viewers: 14, Do: comeAndGo, Short: 30 * time.Second, Long: 2 * time.Minute},
	{Name: "a page of another site", Do: otherSite},
	{Name: "1,280 slow headers from 5 addresses", Sockets: 1100, Do: slowHeaders},
	{Name: "1,280 idle connections", Sockets: 1100, Do: idleConnections},
	{Name: "10,000 wrong keys a minute", Locked: true, Sockets: 64, Do: guessKeys, Short: 10 * time.Second, Long: time.Minute},
}

// every calls f at a steady pace until it fails or the time is over.
func every(ctx context.Context, interval, during time.Duration, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, during)
	defer cancel()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := f(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
