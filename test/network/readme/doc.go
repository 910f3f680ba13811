// Package readme runs what the READMEs show of a network of departments.
package readme
