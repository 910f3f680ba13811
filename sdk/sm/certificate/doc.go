// Package certificate reads SM2 X.509 certificates with which a certification authority vouches for the
// key of a department (GM/T 0015, RFC 5280), and checks them against authorities that the caller trusts.
//
// A file is a chain: PEM blocks "CERTIFICATE" and nothing else, the certificate of the key first, then
// the one of each authority that issued the one before. The authority that is trusted may be the last
// of them or be left out. Reading is strict and bounded: version 3, every key on sm2p256v1 in the one
// form that package sm takes, every signature SM2 with SM3, no bytes left over anywhere.
//
// A chain that passes [Chain.Check] proves this much: at the time that was given, an authority that the
// caller trusts had said that this key, fit for signing, is its subject's. The distinguishing identifier
// of every signature is the default one (GM/T 0009), and two libraries check each.
//
// The package never asks whether a certificate was revoked (no CRL, no OCSP), never looks at extended
// key usage or at the trust store of the machine, makes no certificates, does no I/O and reads no clock.
package certificate
