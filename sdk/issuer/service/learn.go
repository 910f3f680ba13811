package service

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/credledger/credledger/chaincode"
	"github.com/credledger/credledger/sdk/ledger"
	"github.com/credledger/credledger/sdk/licence"
	"github.com/credledger/credledger/sdk/serve"
)

// A constitution is what the ledger says about the department.
type constitution struct {
	authority  string // id of it
	department licence.Department
	types      []*licence.Type // those that it issues, all versions of each
}

// learnPause is how long to wait before the ledger is asked again at the start.
const learnPause = time.Second

// learn asks the ledger about a department, until it can be reached.
func learn(ctx context.Context, l ledger.Ledger, department string, log *slog.Logger) (*constitution, error) {
	for failing := false; ; failing = true {
		c, err := ask(ctx, l, department)
		switch {
		case err == nil:
			return c, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case ledger.Code(err) == "":
			return nil, &serve.Error{Code: serve.CodeStart, Message: "ask the ledger about " + department, Err: err}
		case !failing:
			log.Warn("the ledger cannot be reached; the start waits for it", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(learnPause):
		}
	}
}

// ask asks the ledger about a department once.
func ask(ctx context.Context, l ledger.Ledger, department string) (*constitution, error) {
	c := new(constitution)
	var genesis struct {
		Authority string `json:"authority"`
	}
	if err := query(ctx, l, &genesis, "ledger"); err != nil {
		return nil, err
	}
	c.authority = genesis.Authority
	if err := query(ctx, l, &c.department, "department", department); err != nil {
		return nil, err
	}
	var types []struct {
		ID     string `json:"id"`
		Newest uint32 `json:"newest"`
	}
	if err := query(ctx, l, &types, "types"); err != nil {
		return nil, err
	}
	for _, t := range types {
		if !slices.Contains(c.department.Issues, t.ID) {
			continue
		}
		for version := uint32(1); version <= t.Newest; version++ {
			b, err := l.Evaluate(ctx, chaincode.Query{Name: "type", Args: []string{t.ID, strconv.FormatUint(uint64(version), 10)}})
			if err != nil {
				return nil, err
			}
			typ, err := licence.ParseType(b)
			if err != nil {
				return nil, fmt.Errorf("version %d of the type %s: %w", version, t.ID, err)
			}
			c.types = append(c.types, typ)
		}
	}
	return c, nil
}

// query asks the ledger and decodes the answer.
func query(ctx context.Context, l ledger.Ledger, answer any, name string, args ...string) error {
	b, err := l.Evaluate(ctx, chaincode.Query{Name: name, Args: args})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, answer); err != nil {
		return fmt.Errorf("read the ledger's answer to %s: %w", name, err)
	}
	return nil
}

// ids returns the ids of the types.
func (c *constitution) ids() (out []string) {
	for _, t := range c.types {
		if !slices.Contains(out, t.ID) {
			out = append(out, t.ID)
		}
	}
	return out
}

// unit returns the id of the unit that issues: the one that is named, or the first.
func (c *constitution) unit(named string) (string, error) {
	for _, u := range c.department.Units {
		if named == "" || u.ID == named {
			return u.ID, nil
		}
	}
	return "", &serve.Error{Code: serve.CodeConfig, Message: fmt.Sprintf("%s has no unit %q on the ledger", c.department.ID, named)}
}

// same reports whether a later answer of the ledger says the same about what is issued.
func (c *constitution) same(o *constitution) bool {
	return slices.Equal(c.department.Issues, o.department.Issues) && slices.Equal(c.department.Units, o.department.Units) && len(c.types) == len(o.types)
}
