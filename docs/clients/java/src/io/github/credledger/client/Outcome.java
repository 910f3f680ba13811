package io.github.credledger.client;

/** What a verdict sums up to. */
public enum Outcome {
    /** Genuine and current (核验通过,现行有效). */
    VALID("valid"),
    /** Valid, but a restriction lies on it: look at what the licence is used for. */
    RESTRICTED("restricted"),
    /** Genuine, and known to be suspended, revoked, superseded, expired or not yet valid. */
    NOT_CURRENT("not-current"),
    /** It could not be found out, which says nothing against the licence: try again, or check it by another way. */
    UNDETERMINED("undetermined"),
    /** Not what the issuer anchored: do not act on it. */
    INVALID("invalid");

    private final String word;

    Outcome(String word) {
        this.word = word;
    }

    /** The word for it in the services' answers. */
    public String word() {
        return word;
    }

    /** The outcome of a word; one that this client does not know is taken for nothing more than undetermined. */
    static Outcome of(String word) {
        for (Outcome outcome : values()) {
            if (outcome.word.equals(word)) {
                return outcome;
            }
        }
        return UNDETERMINED;
    }
}
