// Package figures measures a real network: default topology, all of its processes and the client
// on the machine that runs the benchmark, signed heads submitted by package sdk/fabric. `bash
// test/bench network` runs it; docs/BENCHMARKS.md has what it showed. An ordinary test takes the same
// path with few transactions and asserts what must hold, but no speed.
package figures
