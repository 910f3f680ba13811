package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"

	"github.com/credledger/credledger/sdk/credential"
	"github.com/credledger/credledger/sdk/govern"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// forge makes a credential that is right in everything, but signed with a key that nobody enrolled,
// and dated back a day.
func (d *demo) forge(ctx context.Context, file string) error {
	c := *d.call
	c.homeDir, c.args = d.path("home"), nil
	h, err := c.openHome(ctx, "")
	if err != nil {
		return err
	}
	p, err := d.forged(ctx, h)
	if err = errors.Join(err, h.close()); err != nil {
		return err
	}
	return os.WriteFile(file, p.Bytes(), 0o644)
}

func (d *demo) forged(ctx context.Context, h *home) (*credential.Presentation, error) {
	t, err := h.licenceType(ctx, "marriage")
	if err != nil {
		return nil, err
	}
	sample, err := os.Open(d.path("marriage-1.json"))
	if err != nil {
		return nil, err
	}
	defer sample.Close()
	reader, err := licence.NewReader(sample, t)
	if err != nil {
		return nil, err
	}
	doc, err := reader.Next()
	if err != nil {
		return nil, err
	}
	salts := make([]byte, len(t.Leaves())*credential.SaltSize)
	if _, err := rand.Read(salts); err != nil {
		return nil, err
	}
	yesterday := govern.Seconds(d.now().AddDate(0, 0, -1))
	draft, err := credential.NewDraft(doc, credential.Record{Issuer: "civil-affairs", IssuedAt: yesterday}, salts)
	if err != nil {
		return nil, err
	}
	key, err := sm.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	batch, err := credential.NewBatch([]*credential.Draft{draft},
		statement.Head{Ledger: h.id, Unit: "marriage-registry", SignedAt: yesterday}, key)
	if err != nil {
		return nil, err
	}
	return batch.Credential(0), nil
}
