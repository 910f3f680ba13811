package report

import "iter"

// A pile keeps many small things: it grows without moving what it has, so that it never needs memory for two
// of itself.
type pile[T any] struct {
	full [][]T
	last []T
}

// pileChunk is how many things are kept together, once there are more.
const pileChunk = 1024

func (p *pile[T]) add(v T) {
	if len(p.last) == pileChunk {
		p.full = append(p.full, p.last)
		p.last = make([]T, 0, pileChunk)
	}
	p.last = append(p.last, v)
}

// chunks yields all that the pile has, in the order in which it came.
func (p *pile[T]) chunks() iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for _, chunk := range p.full {
			if !yield(chunk) {
				return
			}
		}
		yield(p.last)
	}
}
