package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/credledger/credledger/sdk/issuer"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sm"
	"github.com/credledger/credledger/sdk/statement"
)

// withIssuer runs something as a department, with its vault, which has caught up with the ledger, and those of its
// keys that are in the home.
func (h *home) withIssuer(ctx context.Context, c *call, department, unit string, typeIDs []string, run func(*issuer.Issuer) error) error {
	config, err := h.issuerConfig(ctx, department, unit, typeIDs)
	if err != nil {
		return err
	}
	iss, err := issuer.New(ctx, config)
	if err != nil {
		return err
	}
	defer iss.Close()
	report, err := iss.CatchUp(ctx)
	if report == nil || ctx.Err() != nil {
		return err
	}
	c.warnCaughtUp(department, report, err)
	return run(iss)
}

// issuerConfig is what an issuer in the name of a department works with.
func (h *home) issuerConfig(ctx context.Context, department, unit string, typeIDs []string) (issuer.Config, error) {
	d, err := h.department(ctx, department)
	if err != nil {
		return issuer.Config{}, err
	}
	config := issuer.Config{Department: d.Department, Unit: unit, Signers: h.issuerSigners(department), Now: h.now}
	if config.Ledger, err = h.as(ctx, department); err != nil {
		return config, err
	}
	for _, id := range typeIDs {
		versions, err := h.licenceTypes(ctx, id)
		if err != nil {
			return config, err
		}
		config.Types = append(config.Types, versions...)
	}
	config.Vault, err = h.openVault(ctx, department)
	return config, err
}

// issuerSigners gives the department's keys in the home that the ledger takes. They are looked up once, and again
// when the ledger has refused one.
func (h *home) issuerSigners(department string) issuer.Signers {
	var mu sync.Mutex
	known := map[statement.Purposes][]sm.Signer{}
	return func(ctx context.Context, purpose statement.Purposes, refused bool) ([]sm.Signer, error) {
		mu.Lock()
		defer mu.Unlock()
		if signers, ok := known[purpose]; ok && !refused {
			return signers, nil
		}
		signers, err := h.signers(ctx, department, purpose)
		if err == nil {
			known[purpose] = signers
		}
		return signers, err
	}
}

// warnCaughtUp says what a department should know of its vault before anything is done with it.
func (c *call) warnCaughtUp(department string, report *vault.CatchUpReport, waiting error) {
	if c.json {
		return // standard error has one value, of an error
	}
	if n := len(report.Lost); n > 0 {
		fmt.Fprintf(c.stderr, c.pick("注意:账本上有 %d 个批次不在 %s 的证照库中,见 `credledger vault show`\n",
			"note: the ledger has %d batches that the vault of %s does not have; see `credledger vault show`\n"), n, department)
	}
	if waiting != nil {
		fmt.Fprintf(c.stderr, c.pick("注意:有批次仍在等待上链:%s\n", "note: batches still wait for the ledger: %s\n"), printable(waiting.Error()))
	}
}
