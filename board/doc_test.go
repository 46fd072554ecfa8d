package board

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the table of docs/BOARDS.md anew")

const (
	boardsDoc  = "../docs/BOARDS.md"
	tableBegin = "<!-- the rows of package board; go test ./board -update writes them -->\n"
	tableEnd   = "<!-- end of the rows -->\n"
)

// TestBoardsDoc holds the page for people to the rows.
func TestBoardsDoc(t *testing.T) {
	text, err := os.ReadFile(boardsDoc)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), tableBegin)
	got, tail, ok := strings.Cut(rest, tableEnd)
	if !ok {
		t.Fatalf("%s has no place for the rows", boardsDoc)
	}
	want := table()
	if *update {
		if err := os.WriteFile(boardsDoc, []byte(head+tableBegin+want+tableEnd+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-the rows +the page):\n%s", boardsDoc, diff)
	}
}

// table is the rows as Markdown.
func table() string {
	var b strings.Builder
	b.WriteString("| board | H.264, in this order | VP8, in this order | camera connector | run by anybody | why, and what to know |\n")
	b.WriteString("|---|---|---|---|---|---|\n")
	for _, row := range All() {
		csi := "-"
		if row.CSI != "" {
			csi = "`" + row.CSI + "`"
		}
		fmt.Fprintf(&b, "| %s (`%s`) | %s | %s | %s | no | %s Source: %s. |\n", row.Name, row.ID, strings.Join(row.H264, ", "),
			strings.Join(row.VP8, ", "), csi, row.Note, row.Source)
	}
	return strings.ReplaceAll(b.String(), "  ", " ")
}
