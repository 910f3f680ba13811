package vault

import (
	"fmt"
	"testing"
	"time"
)

func init() {
	cases = append(cases, struct {
		name string
		test func(*testing.T, *place)
	}{"issued", testIssued})
}

func testIssued(t *testing.T, p *place) {
	v := p.create(t)
	first := uint64(p.time().Unix())
	a := p.add(t, v, p.deposits(3))
	p.pass(time.Hour)
	second := uint64(p.time().Unix())
	b := p.add(t, v, p.deposits(2))
	for _, c := range []struct {
		name        string
		types       []string
		from, until uint64
		before      ID
		limit       int
		want        []ID
	}{
		{"all", []string{"marriage"}, first, second + 1, 0, 10, []ID{b.First + 1, b.First, a.First + 2, a.First + 1, a.First}},
		{"the newest", []string{"other", "marriage"}, first, second + 1, 0, 2, []ID{b.First + 1, b.First}},
		{"the next", []string{"marriage"}, first, second + 1, b.First, 2, []ID{a.First + 2, a.First + 1}},
		{"the second only", []string{"marriage"}, second, second + 1, 0, 10, []ID{b.First + 1, b.First}},
		{"the first only", []string{"marriage"}, first, second, 0, 10, []ID{a.First + 2, a.First + 1, a.First}},
		{"before all", []string{"marriage"}, 0, first, 0, 10, nil},
		{"of another type", []string{"other"}, first, second + 1, 0, 10, nil},
		{"of no type", nil, first, second + 1, 0, 10, nil},
	} {
		found, err := v.Issued(t.Context(), c.types, c.from, c.until, c.before, c.limit)
		must(t, err)
		var ids []ID
		for _, l := range found {
			ids = append(ids, l.ID)
		}
		same(t, c.name, fmt.Sprint(ids), fmt.Sprint(c.want))
	}
	for _, c := range []struct {
		from, until uint64
		want        map[string]int64
	}{{first, second + 1, map[string]int64{"marriage": 5}}, {second, second + 1, map[string]int64{"marriage": 2}}, {0, first, map[string]int64{}}} {
		got, err := v.CountIssued(t.Context(), c.from, c.until)
		must(t, err)
		same(t, "count", fmt.Sprint(got), fmt.Sprint(c.want))
	}
}
