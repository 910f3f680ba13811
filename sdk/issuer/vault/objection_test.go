package vault

import (
	"strings"
	"testing"
	"time"

	"github.com/credledger/credledger/sdk/licence"
)

func testObjections(t *testing.T, p *place) {
	v := p.create(t)
	day := licence.DateOf(p.time())
	object := func(person string, due licence.Date) *Objection {
		o := &Objection{Licence: 7, About: AboutState, Text: "text of an objection " + personal, Due: due}
		write(t, v, func(tx *Tx) error { return tx.Object(person, o) })
		return o
	}
	late, soon := object(holderID, day+1), object(holderID, day)
	object(helperID, day+9)
	open, err := v.Objections(t.Context(), ObjectionOpen, 9)
	must(t, err)
	if len(open) != 3 || open[0].ID != soon.ID || open[1].ID != late.ID || open[0].Text != soon.Text || open[0].By != clerk || open[0].Licence != 7 || open[0].Settled != nil {
		t.Fatalf("%+v", open)
	}
	mine, err := v.ObjectionsBy(t.Context(), holderID, 9)
	must(t, err)
	same(t, "objections of one person", len(mine), 2)

	p.pass(3 * 24 * time.Hour)
	settle := func(id ItemID, outcome, text string) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.SettleObjection(id, &Settlement{Outcome: outcome, Text: text}) })
	}
	refused(t, settle(late.ID, "maybe", "text"), CodeArgument)
	refused(t, settle(late.ID, Upheld, ""), CodeArgument)
	refused(t, settle(ItemID{9}, Upheld, "text"), CodeObjectionUnknown)
	must(t, settle(late.ID, PartlyUpheld, "the answer "+personal))
	refused(t, settle(late.ID, Upheld, "another"), CodeSettled)
	o, err := v.Objection(t.Context(), late.ID)
	must(t, err)
	if o.Settled == nil || o.Settled.Outcome != PartlyUpheld || o.Settled.Text != "the answer "+personal || o.Settled.By != clerk || !o.Late(p.time()) || o.Rated {
		t.Fatalf("%+v", o)
	}
	_, err = v.Objection(t.Context(), ItemID{9})
	refused(t, err, CodeObjectionUnknown)
	answered, err := v.Objections(t.Context(), ObjectionAnswered, 9)
	must(t, err)
	if len(answered) != 1 || answered[0].ID != late.ID {
		t.Fatalf("answered: %+v", answered)
	}
	_, err = v.Objections(t.Context(), "", 9)
	refused(t, err, CodeArgument)

	totals, err := v.ObjectionTotals(t.Context(), p.time().Add(-30*24*time.Hour), p.time().Add(time.Second))
	must(t, err)
	same(t, "totals", totals, ObjectionTotals{Received: 3, Settled: 1, InTime: 0, Days: 3})
	totals, err = v.ObjectionTotals(t.Context(), p.time().Add(-time.Hour), p.time())
	must(t, err)
	same(t, "totals of an hour before", totals, ObjectionTotals{})

	rate := func(person string) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Rate(late.ID, person, 4, "", time.Hour) })
	}
	refused(t, rate(helperID), CodeUnknown)
	must(t, rate(holderID))
	refused(t, rate(holderID), CodeRated)
	if o, err = v.Objection(t.Context(), late.ID); err != nil || !o.Rated {
		t.Fatalf("rated: %+v, %v", o, err)
	}
	if text := string(dump(t, v)); strings.Contains(text, personal) || strings.Contains(text, holderID) {
		t.Error("who has the database can read an objection or its answer")
	}
	for _, bad := range []*Objection{
		{Licence: 7, About: "weather", Text: "x"}, {Licence: 7, About: AboutState}, {Licence: 7, About: AboutState, Text: strings.Repeat("x", MaxObjection+1)},
	} {
		refused(t, v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Object(holderID, bad) }), CodeArgument)
	}
}

func testRatings(t *testing.T, p *place) {
	v := p.create(t)
	use := func(kind, matter string) (id ItemID) {
		write(t, v, func(tx *Tx) (err error) { id, err = tx.AddUse(holderID, kind, matter); return err })
		return id
	}
	rate := func(id ItemID, stars int, text string) error {
		return v.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Rate(id, holderID, stars, text, 24*time.Hour) })
	}
	from := p.time()
	must(t, rate(use(UseCode, "home"), 5, ""))
	must(t, rate(use(UsePrint, "home"), 5, "too small "+personal))
	must(t, rate(use(UseGrant, ""), 1, ""))
	old := use(UseCode, "home")
	refused(t, rate(old, 0, ""), CodeArgument)
	refused(t, rate(old, 6, ""), CodeArgument)
	p.pass(25 * time.Hour)
	refused(t, rate(old, 5, ""), CodeRated)
	refused(t, rate(ItemID{1}, 5, ""), CodeUnknown)
	counts, err := v.Ratings(t.Context(), from, p.time())
	must(t, err)
	if len(counts) != 2 || counts[0] != (RatingCount{"", [5]uint64{1, 0, 0, 0, 0}}) || counts[1] != (RatingCount{"home", [5]uint64{0, 0, 0, 0, 2}}) {
		t.Errorf("counts: %+v", counts)
	}
	if counts, err = v.Ratings(t.Context(), from.Add(time.Hour), p.time()); err != nil || len(counts) != 0 {
		t.Errorf("counts of another time: %+v, %v", counts, err)
	}
	comments, err := v.Comments(t.Context(), 9)
	must(t, err)
	if len(comments) != 1 || comments[0].Text != "too small "+personal || comments[0].Stars != 5 || comments[0].Kind != UsePrint {
		t.Errorf("comments: %+v", comments)
	}
	if text := string(dump(t, v)); strings.Contains(text, personal) {
		t.Error("who has the database can read a comment")
	}
	p.pass(32 * 24 * time.Hour)
	must(t, v.PurgeWallet(t.Context()))
	same(t, "uses", count(t, v, "vault_use", "1 = 1"), 0)
	same(t, "ratings", count(t, v, "vault_rating", "1 = 1"), 3)
}

func testRatedTogether(t *testing.T, p *place) {
	v, other := p.create(t), p.open(t)
	var id ItemID
	write(t, v, func(tx *Tx) (err error) { id, err = tx.AddUse(holderID, UseCode, "home"); return err })
	inParallel(6, func(i int) {
		at := v
		if i%2 == 1 {
			at = other
		}
		again(t, func() error {
			err := at.Write(t.Context(), clerk, func(tx *Tx) error { return tx.Rate(id, holderID, 3, "", time.Hour) })
			if Code(err) == CodeRated {
				return nil
			}
			return err
		})
	})
	same(t, "ratings", count(t, v, "vault_rating", "1 = 1"), 1)
}
