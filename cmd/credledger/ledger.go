package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

func ledgerShowCommand() *command {
	return &command{
		name: "ledger show", args: "[DIGEST|ROOT]",
		summary: "show what the ledger holds: an overview, or all about one licence or batch",
		detail: "DIGEST names a licence, ROOT a batch; both are in lower-case hexadecimal and in what\n" +
			"`credledger show` prints. The block that anchored a digest is looked for from the first one on.",
		run: func(ctx context.Context, c *call) error {
			if len(c.args) > 1 {
				return usagef("name one DIGEST or ROOT")
			}
			var wanted sm.Hash
			if len(c.args) == 1 {
				h, err := sm.ParseHash(c.args[0])
				if err != nil {
					return usagef("a DIGEST or ROOT is written as 64 lower-case hexadecimal digits")
				}
				wanted = h
			}
			h, err := c.openHome(ctx, "")
			if err != nil {
				return err
			}
			if len(c.args) == 0 {
				err = showLedger(ctx, c, h)
			} else {
				err = showHash(ctx, c, h, wanted)
			}
			return errors.Join(err, h.close())
		},
	}
}

// A ledgerOverview is the answer of ledger show without an argument.
type ledgerOverview struct {
	Ledger      json.RawMessage    `json:"ledger"`
	Head        string             `json:"head"` // as audit --expect takes it
	Heartbeat   *ledgerHeartbeat   `json:"heartbeat,omitempty"`
	Types       []ledgerType       `json:"types"`
	Departments []ledgerDepartment `json:"departments"`
}

type ledgerHeartbeat struct {
	Sequence uint64  `json:"sequence"`
	Time     instant `json:"time"`
}

type ledgerType struct {
	ID     string `json:"id"`
	Newest uint32 `json:"newest"` // version
}

type ledgerDepartment struct {
	licence.Department
	State string      `json:"state"`
	Keys  []ledgerKey `json:"keys"`
}

// A ledgerKey is a key on the ledger, with its name in the home if it is there.
type ledgerKey struct {
	keyRecord
	Name string `json:"name,omitempty"`
}

func showLedger(ctx context.Context, c *call, h *home) error {
	head, err := h.ledger.Head(ctx)
	if err != nil {
		return err
	}
	answer := ledgerOverview{Head: head.String()}
	for _, q := range []struct {
		name   string
		answer any
	}{
		{"ledger", &answer.Ledger}, {"heartbeat", &answer.Heartbeat}, {"types", &answer.Types}, {"departments", &answer.Departments},
	} {
		if err := h.query(ctx, q.answer, q.name); err != nil && chaincode.Code(err) != chaincode.CodeNotFound {
			return err
		}
	}
	for i := range answer.Departments {
		if err := h.fillKeys(ctx, &answer.Departments[i]); err != nil {
			return err
		}
	}
	c.answer(answer, func(w io.Writer) {
		fmt.Fprintf(w, c.pick("账本 %s\n位置 %s\n", "ledger %s\nhead %s\n"), h.id, answer.Head)
		for _, t := range answer.Types {
			fmt.Fprintf(w, c.pick("证照类型 %s,第 %d 版\n", "licence type %s, version %d\n"), t.ID, t.Newest)
		}
		for _, d := range answer.Departments {
			fmt.Fprintf(w, c.pick("部门 %s,%s (%s):%s\n", "department %s, %s (%s): %s\n"), d.ID, printable(c.name(d.Name)), d.State, c.list(d.Issues))
			for _, k := range d.Keys {
				fmt.Fprintf(w, c.pick("  密钥 %s (%s) %s %s\n", "  key %s (%s) %s %s\n"), cmp.Or(k.Name, "-"), strings.Join(k.Purposes, ", "), k.State, k.ID)
			}
		}
	})
	return nil
}

// fillKeys asks the ledger for the keys of a department.
func (h *home) fillKeys(ctx context.Context, d *ledgerDepartment) error {
	if err := h.query(ctx, &d.Keys, "keys", d.ID); err != nil {
		return err
	}
	names, keys, err := h.keys(d.ID)
	for i, key := range keys {
		for j := range d.Keys {
			if d.Keys[j].ID == key.Public().ID() {
				d.Keys[j].Name = names[i]
			}
		}
	}
	return err
}

// A sighting is one place where a hash was found on the ledger.
type sighting struct {
	TxID   string  `json:"txId"`
	Issuer string  `json:"issuer"`
	Type   string  `json:"type"`
	Root   sm.Hash `json:"root"`
	Size   uint32  `json:"size"`
	Index  *uint32 `json:"index,omitempty"` // of the digest in the batch
}

func showHash(ctx context.Context, c *call, h *home, wanted sm.Hash) error {
	head, err := h.ledger.Head(ctx)
	if err != nil {
		return err
	}
	progress := c.newProgress("reading blocks")
	defer progress.done()
	found := []sighting{}
	following, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stall, func() { cancel(errStalled()) })
	defer watch.Stop()
	for block, err := range h.ledger.Follow(following, 0) {
		if err != nil {
			return cmp.Or(context.Cause(following), err)
		}
		watch.Reset(stall)
		for i := range block.Transactions {
			found = append(found, sightings(&block.Transactions[i], wanted)...)
		}
		progress.show(int64(block.Number), int64(head.Height))
		if block.Number+1 >= head.Height {
			break
		}
	}
	progress.done()
	if len(found) == 0 {
		return failf(chaincode.CodeNotFound, "the ledger has no licence and no batch of this name")
	}
	details := make([]ledgerDetail, len(found))
	for i, s := range found {
		d := &details[i]
		d.sighting = s
		if s.Index == nil {
			err = h.query(ctx, &d.Status, "root-status", s.Issuer, wanted.String())
		} else if err = h.query(ctx, &d.Status, "status", s.Issuer, wanted.String(), s.Type); err == nil {
			d.Restrictions = new(restrictionRecord)
			err = h.query(ctx, d.Restrictions, "restrictions", s.Issuer, wanted.String(), s.Type)
		}
		if err != nil {
			return err
		}
	}
	c.answer(details, func(w io.Writer) {
		for _, d := range details {
			what := fmt.Sprintf(c.pick("%d 本一批", "batch of %d"), d.Size)
			if d.Index != nil {
				what = fmt.Sprintf(c.pick("批次 %[3]s 共 %[2]d 本中的第 %[1]d 本", "licence %d of %d in batch %s"), *d.Index+1, d.Size, d.Root)
			}
			fmt.Fprintf(w, c.pick("%s, %s:%s\n  上链交易 %s\n  状态 %s\n", "%s by %s: %s\n  anchored in transaction %s\n  status %s\n"),
				d.Type, d.Issuer, what, d.TxID, d.Status)
			if d.Restrictions != nil {
				for _, r := range d.Restrictions.Open {
					fmt.Fprintf(w, c.pick("  限制 %s\n", "  restriction %s\n"), r.ID)
				}
			}
		}
	})
	return nil
}

// A ledgerDetail is what the ledger says of a licence or a batch.
type ledgerDetail struct {
	sighting
	Status       statusRecord       `json:"status"`
	Restrictions *restrictionRecord `json:"restrictions,omitempty"` // of a licence
}

// sightings finds a root or digest in a transaction that anchors.
func sightings(committed *ledger.Transaction, wanted sm.Hash) []sighting {
	tx, err := chaincode.ParseTransaction(committed.Bytes)
	if err != nil || len(tx.Digests) == 0 {
		return nil
	}
	head, _, err := statement.ParseAs[*statement.Head](tx.Statements[0])
	if err != nil {
		return nil
	}
	s := sighting{TxID: committed.ID, Issuer: head.Issuer, Type: head.Type, Root: head.Root, Size: head.Size}
	var out []sighting
	if head.Root == wanted && head.Size > 1 {
		out = append(out, s)
	}
	for i := range head.Size {
		if sm.Hash(tx.Digests[int(i)*sm.HashSize:]) == wanted {
			s.Index = &i
			out = append(out, s)
		}
	}
	return out
}
