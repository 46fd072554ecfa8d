//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// nft is where Debian has it, which is on root's PATH alone.
const nft = "/usr/sbin/nft"

// firewall puts rules in force on the board's side until the end of the test: the chains of a table of nftables.
func firewall(t testing.TB, family, chains string) {
	t.Helper()
	const table = "e2e"
	load := exec.CommandContext(t.Context(), nft, "-f", "-")
	load.Stdin = strings.NewReader(fmt.Sprintf("table %s %s {\n%s\n}\n", family, table, chains))
	if err := run(load); err != nil {
		t.Fatalf("%v (hint: the tests need Debian's package nftables, and a kernel with nf_tables)", err)
	}
	t.Cleanup(func() {
		if err := run(exec.CommandContext(context.Background(), nft, "delete", "table", family, table)); err != nil {
			t.Error(err)
		}
	})
}

// onlyThrough lets browsers reach these ports of the board's alone, each as nftables has it: "tcp dport 8080". Other packets
// are dropped without a word.
func onlyThrough(t testing.TB, ports ...string) {
	t.Helper()
	var rules strings.Builder
	for _, p := range ports {
		rules.WriteString("iifname \"board\" " + p + " accept\n")
	}
	firewall(t, "inet", "chain in {\ntype filter hook input priority 0\n"+rules.String()+
		"iifname \"board\" meta l4proto { udp, tcp } drop\n}")
}

// Pair is the pair of ICE candidates that a page's connection uses, as the browser has it.
type Pair struct {
	Protocol string `json:"protocol"` // of the browser's candidate: "udp", "tcp"
	Kind     string `json:"kind"`     // of the browser's candidate: "host", "srflx", "prflx", "relay"
	Relay    string `json:"relay"`    // how the browser reaches its relay: "udp", "tcp", "tls"
	Address  string `json:"address"`  // of the board's candidate
	Port     int    `json:"port"`
	Theirs   string `json:"theirs"` // the kind of the board's candidate
}

const pairScript = `(async () => {
  const all = await boardcast.pc.getStats();
  for (const s of all.values()) {
    const pair = s.type === "transport" && all.get(s.selectedCandidatePairId);
    if (!pair) continue;
    const ours = all.get(pair.localCandidateId), theirs = all.get(pair.remoteCandidateId);
    return {
      protocol: ours.protocol, kind: ours.candidateType, relay: ours.relayProtocol ?? "",
      address: theirs.address, port: theirs.port, theirs: theirs.candidateType,
    };
  }
  return {};
})()`

// Pair is what the page's connection uses now.
func (p *Page) Pair() Pair {
	p.t.Helper()
	var pair Pair
	p.Eval(pairScript, &pair)
	return pair
}
