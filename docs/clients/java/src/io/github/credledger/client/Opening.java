package io.github.credledger.client;

/** What the opener found in an envelope, or in something that was shown. */
public final class Opening {
    private final Json json;

    Opening(Json json) {
        this.json = json;
    }

    /** The verdict on the licence. */
    public Verdict verdict() {
        return new Verdict(json.get("verdict"));
    }

    /** The credential or presentation. */
    public byte[] credential() {
        return json.get("credential").bytes();
    }

    /** What was in the envelope, whole: the credential, or a file that carries it; null if nothing was sealed. */
    public byte[] contents() {
        return json.get("contents").bytes();
    }

    /** Media type of the contents; null if nothing was sealed. */
    public String mediaType() {
        return json.get("type").text();
    }
}
