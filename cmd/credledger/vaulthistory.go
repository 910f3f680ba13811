package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/credledger/credledger/sdk/issuer/vault"
)

func vaultHistoryCommand() *command {
	return vaultCommand("history", "[--after N]", "list who did what with a department's vault, and for what",
		"Oldest first; licences and batches by their ids in the vault. --after goes on after a line, by its number.",
		func(c *call, o *vaultOptions) {
			c.flags.Int64Var(&o.after, "after", 0, "only lines after number `N`")
		}, listHistory)
}

// A historyLine is one line of the answer of vault history.
type historyLine struct {
	Number  int64     `json:"number"`
	At      time.Time `json:"at"`
	Action  string    `json:"action"`
	Licence vault.ID  `json:"licence,omitempty"` // 0: none, or all of the batch
	Batch   int64     `json:"batch,omitempty"`   // 0: none
	Actor   string    `json:"actor"`
	Purpose string    `json:"purpose"`
}

func listHistory(ctx context.Context, c *call, h *home, o *vaultOptions) error {
	if len(c.args) > 0 {
		return usagef("vault history takes no arguments besides its flags")
	}
	v, err := h.openVault(ctx, o.department)
	if err != nil {
		return err
	}
	for after := o.after; ; {
		page, err := v.Events(ctx, after, most)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			line := historyLine{e.ID, e.At, e.Action, e.Licence, e.Batch, e.Actor, e.Purpose}
			c.answer(line, func(w io.Writer) {
				about := ""
				if e.Licence != 0 {
					about += fmt.Sprintf(c.pick(" 证照 %d", " licence %d"), e.Licence)
				}
				if e.Batch != 0 {
					about += fmt.Sprintf(c.pick(" 批次 %d", " batch %d"), e.Batch)
				}
				fmt.Fprintf(w, "%d  %s  %s%s  %s: %s\n", e.ID, e.At.In(beijing).Format("2006-01-02 15:04:05"), e.Action, about, printable(e.Actor), printable(e.Purpose))
			})
			after = e.ID
		}
	}
}
