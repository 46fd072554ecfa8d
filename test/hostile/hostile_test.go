package hostile

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestReadText has every right offer survive being cut and put together.
func TestReadText(t *testing.T) {
	for i, offer := range Offers() {
		if got := Read(offer).Text(); got != strings.ReplaceAll(strings.ReplaceAll(offer, "\r\n", "\n"), "\n", "\r\n") {
			t.Errorf("offer %d became\n%s", i, got)
		}
		if len(Read(offer).Sections) == 0 {
			t.Errorf("offer %d has no section", i)
		}
	}
}

// TestMutate has a seed give one text, and seeds reach every mutation; each of these alters something sooner or later.
func TestMutate(t *testing.T) {
	const seeds = 8_000
	altered := map[string]bool{}
	for seed := range uint64(seeds) {
		offer := Offers()[seed%uint64(len(Offers()))]
		text, did := Mutate(offer, rand.New(rand.NewPCG(seed, 1)))
		again, _ := Mutate(offer, rand.New(rand.NewPCG(seed, 1)))
		if text != again {
			t.Fatalf("seed %d gave two texts", seed)
		}
		if len(did) == 1 && text != Read(offer).Text() {
			altered[did[0]] = true
		}
	}
	for _, m := range mutations {
		if !altered[m.name] {
			t.Errorf("%q never altered anything", m.name)
		}
	}
}

// TestFit has a recorded answer take the names of an offer's sections.
func TestFit(t *testing.T) {
	answers, err := texts("answer")
	if err != nil {
		t.Fatal(err)
	}
	offer := Offers()[0]
	for _, answer := range answers {
		fitted := Read(Fit(answer, offer))
		want := Read(offer).Mids()[:len(fitted.Sections)]
		if got := fitted.Mids(); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("sections %q, want %q", got, want)
		}
	}
}

// TestAnswer has an offer turned round keep its sections and take the credentials given.
func TestAnswer(t *testing.T) {
	for _, offer := range Offers() {
		got := Read(Answer(offer, Credentials()))
		for i, section := range got.Sections {
			if section[0] != bundleOnly.ReplaceAllString(Read(offer).Sections[i][0], "$1 9 ") {
				t.Errorf("section %d begins with %q", i, section[0])
			}
			if ufrags := Values(section, "ice-ufrag"); len(ufrags) != 1 || ufrags[0] != "zwpU" {
				t.Errorf("section %d has the ufrags %q", i, ufrags)
			}
		}
	}
}
