package sqldb

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// Insert inserts n rows into the columns of a table, "t (a, b)". row puts the values of row i into its
// argument, which has a place for each of the columns.
func (d *DB) Insert(ctx context.Context, tx *sql.Tx, table string, columns, n int, row func(i int, values []any)) error {
	rowsAtOnce, _ := d.engine.atOnce()
	whole := context.WithoutCancel(ctx) // the driver of SQLite starts a goroutine to watch a ctx that can end
	args := make([]any, min(n, rowsAtOnce)*columns)
	var full *sql.Stmt // for rowsAtOnce rows
	for start := 0; start < n; start += rowsAtOnce {
		rows := min(n-start, rowsAtOnce)
		for i := range rows {
			row(start+i, args[i*columns:(i+1)*columns])
		}
		var err error
		switch {
		case rows < rowsAtOnce:
			_, err = tx.ExecContext(ctx, insertStatement(table, columns, rows), args[:rows*columns]...)
		case full == nil:
			if full, err = tx.PrepareContext(ctx, insertStatement(table, columns, rows)); err != nil {
				break
			}
			defer full.Close()
			fallthrough
		default:
			if err = ctx.Err(); err == nil {
				_, err = full.ExecContext(whole, args...)
			}
		}
		if err != nil {
			return Wrap("insert rows", err)
		}
	}
	return nil
}

func insertStatement(table string, columns, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " VALUES ")
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		writePlaces(&b, i*columns+1, columns)
		b.WriteByte(')')
	}
	return b.String()
}

// writePlaces writes n places of arguments: $5, $6, $7.
func writePlaces(b *strings.Builder, first, n int) {
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(first + i))
	}
}

// SelectIn runs a query for many keys: "SELECT ... WHERE key IN (?)", in which it puts the places of the
// arguments for the question mark. scan is called for each row.
func (d *DB) SelectIn(ctx context.Context, q Querier, query string, keys []any, scan func(*sql.Rows) error) error {
	_, keysAtOnce := d.engine.atOnce()
	for len(keys) > 0 {
		n := min(len(keys), keysAtOnce)
		var places strings.Builder
		writePlaces(&places, 1, n)
		if err := Select(ctx, q, strings.Replace(query, "?", places.String(), 1), keys[:n], scan); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// A Querier is a database, or a transaction on it.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Select runs a query; scan is called for each row. Its errors end the query and are returned as they are.
func Select(ctx context.Context, q Querier, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return Wrap("read the database", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return Wrap("read the database", err)
	}
	return nil
}
