package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/credledger/credledger/sdk/issuer/masterkey"
	"github.com/credledger/credledger/sdk/issuer/vault"
	"github.com/credledger/credledger/sdk/sqldb"
)

// vaultAddress is where the vault of a department is: a file in the home, or a PostgreSQL database.
func (h *home) vaultAddress(department string) string {
	if address := h.config.Vaults[department]; address != "" {
		return address
	}
	return filepath.Join(h.dir, vaultsDir, department+".db")
}

// vaultsDir is the directory of the vaults that are files.
const vaultsDir = "vault"

// masterKeyFile is the path of the master keys of a department's vault: apart from it, so that a copy of the
// vaults tells nothing.
func (h *home) masterKeyFile(department string) string {
	return filepath.Join(h.dir, "keys", department, "master.keys")
}

// openVault opens the vault of a department, until the home is closed.
func (h *home) openVault(ctx context.Context, department string) (*vault.Vault, error) {
	if v := h.vaults[department]; v != nil {
		return v, nil
	}
	v, err := h.connectVault(ctx, department)
	if err == nil {
		h.vaults[department] = v
	}
	return v, err
}

// connectVault opens the vault of a department. Errors: those of packages masterkey and vault, CodeMissing among them.
func (h *home) connectVault(ctx context.Context, department string) (*vault.Vault, error) {
	keys, err := masterkey.Open(h.masterKeyFile(department))
	if err != nil {
		return nil, err
	}
	v, err := vault.Open(ctx, h.vaultAddress(department), keys, h.now)
	if err != nil {
		return nil, fmt.Errorf("open the vault of %s: %w", department, err)
	}
	return v, nil
}

// knownVault is openVault for who can do without: nil if the department has no vault here.
func (h *home) knownVault(ctx context.Context, department string) (*vault.Vault, error) {
	v, err := h.openVault(ctx, department)
	if code := errorCode(err); code == vault.CodeMissing || code == masterkey.CodeMissing {
		return nil, nil
	}
	return v, err
}

// createVault makes the vault of a department, and master keys if it has none, unless the vault is there. One that
// was not finished is made again, if the department has not issued anything.
func (f *founding) createVault(ctx context.Context, department string) error {
	v, err := f.connectVault(ctx, department)
	switch code := errorCode(err); {
	case err == nil:
		return v.Close()
	case code != vault.CodeMissing && code != sqldb.CodeDamaged && code != masterkey.CodeMissing && code != masterkey.CodeMalformed:
		return err
	}
	var anchored []struct{}
	if queryErr := f.query(ctx, &anchored, "anchors", department); queryErr != nil {
		return queryErr
	}
	if len(anchored) > 0 {
		return err
	}
	if errorCode(err) == masterkey.CodeMalformed {
		if err := removeIfThere(f.masterKeyFile(department)); err != nil {
			return err
		}
	}
	if address := f.vaultAddress(department); !sqldb.IsPostgreSQL(address) {
		for _, end := range []string{"", "-wal", "-shm", "-journal"} {
			if err := removeIfThere(address + end); err != nil {
				return err
			}
		}
	}
	return f.newVault(ctx, department)
}

// newVault makes the vault of a department, and master keys if it has none.
func (h *home) newVault(ctx context.Context, department string) error {
	path, address := h.masterKeyFile(department), h.vaultAddress(department)
	if err := makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	if !sqldb.IsPostgreSQL(address) {
		if err := makeDir(filepath.Dir(address)); err != nil {
			return err
		}
	}
	if err := masterkey.Create(path); err != nil && masterkey.Code(err) != masterkey.CodeExists {
		return err
	}
	keys, err := masterkey.Open(path)
	if err != nil {
		return err
	}
	v, err := vault.Create(ctx, address, vault.Identity{Ledger: h.id, Department: department}, keys, h.now)
	if err != nil {
		return fmt.Errorf("make the vault of %s: %w", department, err)
	}
	return v.Close()
}

// closeVaults closes the vaults that were opened.
func (h *home) closeVaults() (err error) {
	for _, v := range h.vaults {
		err = errors.Join(err, v.Close())
	}
	return err
}

// by is who stands in the vault's history for what a command does: the user of the system, and the command.
func (c *call) by() vault.By {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return vault.By{Actor: "command line: " + strconv.QuoteToGraphic(name), Purpose: "credledger " + c.command.name}
}
