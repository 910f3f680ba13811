// Package tlcp serves connections protected by TLCP (GB/T 38636-2020), the national transport layer
// protocol with two SM2 certificates, one for signing and one for encryption.
//
// A [Listener] stands in front of an ordinary one and gives out connections whose handshake is done, so
// that a server above it, such as net/http, never meets a peer that speaks something else. It offers
// one version, 0x0101, and one suite, ECC_SM4_CBC_SM3 (0xE013); no resumption, no renegotiation and no
// certificates of clients.
//
// The protocol engine is github.com/tjfoc/gmsm/gmtls, which has known defects: it panics on some
// messages, and its SM2 is neither strict nor constant in time. So it runs behind three walls. Private
// keys never reach it: what it signs and decrypts goes through package sm. Every call into it is
// guarded, and a panic is the end of that connection alone, an [Error] with [CodePanic]. And a
// handshake is bounded in time, handshakes are bounded in number, and none of them waits for another.
//
// What the walls do not mend: the engine checks records in MAC-then-encrypt order with a MAC that is
// not constant in time, and it prints every failed handshake to os.Stdout, which [Quiet] prevents.
//
// The package never logs, never prints a key, and dials nothing.
package tlcp
