package io.github.credledger.client;

/** A licence that is issued: it is on the ledger. */
public final class Issued {
    private final Json json;

    Issued(Json json) {
        this.json = json;
    }

    /** The licence's id in the issuer's vault, by which it is looked up and changed. */
    public long id() {
        return json.get("licence").get("id").number();
    }

    /** The licence's name on the ledger, together with its issuer. */
    public String digest() {
        return json.get("licence").get("digest").text();
    }

    /** What the holder keeps; null if it was sealed to a recipient. */
    public byte[] credential() {
        return json.get("credential").bytes();
    }

    /** The credential in an envelope for the recipient; null if none was named. */
    public byte[] sealed() {
        return json.get("sealed").bytes();
    }

    /** Whether an earlier call with the same key had issued it. */
    public boolean isEarlier() {
        return json.get("earlier").isTrue();
    }

    /** What holds of the licence, without what it says. */
    public Json licence() {
        return json.get("licence");
    }
}
