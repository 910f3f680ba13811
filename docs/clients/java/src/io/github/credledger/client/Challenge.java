package io.github.credledger.client;

/** What a holder is asked to prove: that the licence is shown now, to this verifier. */
public final class Challenge {
    private final String audience;
    private final String nonce;

    /** A challenge that the caller made itself, or was given: the nonce is 16 to 64 random bytes in lower-case hexadecimal. */
    public Challenge(String audience, String nonce) {
        this.audience = audience;
        this.nonce = nonce;
    }

    /** Who the proof is for. */
    public String audience() {
        return audience;
    }

    /** The random bytes that the proof has in it, in lower-case hexadecimal. */
    public String nonce() {
        return nonce;
    }
}
