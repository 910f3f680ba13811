/**
 * A client of CredLedger's services for Java 8 and later, with nothing but the JDK: an issuing system hands out licences
 * ({@link io.github.credledger.client.Issuer}), a back office checks them
 * ({@link io.github.credledger.client.Verifier}), and one without national cryptography has what is sealed to it opened and
 * checked on its own machine ({@link io.github.credledger.client.Opener}).
 *
 * <p>A verdict is an answer; an outage is an exception. What could not be asked is never taken for forged, nor for valid.
 * No class here logs, keeps or prints a field of a licence or a token.
 *
 * <p>The clients are immutable and safe for use by several threads. Each call takes at most the time that its
 * {@link io.github.credledger.client.Settings} allow.
 */
package io.github.credledger.client;
