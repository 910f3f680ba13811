package io.github.credledger.client;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** A licence that is to be issued. Immutable: each method gives another application. */
public final class Application {
    private final Map<String, Object> members;

    private Application(Map<String, Object> members) {
        this.members = Collections.unmodifiableMap(members);
    }

    /**
     * A licence of a type.
     *
     * @param fields names of the type's fields, in any way that the type knows, with their values: a String, a Number, a list
     *     of Strings, or null for none
     */
    public static Application of(String type, Map<String, ?> fields) {
        return new Application(Collections.<String, Object>emptyMap()).with("type", type).with("fields", fields);
    }

    /** The first and the last day of validity, like 2026-01-31; either may be null. */
    public Application valid(String from, String until) {
        return with("validFrom", from).with("validUntil", until);
    }

    /** Takes the place of a licence of this department, by its id; supersede that one when this one is issued. */
    public Application replacing(long licence) {
        return with("predecessor", licence);
    }

    /** Why it is done: a case number, a matter. It stands in the licence's history. */
    public Application purpose(String purpose) {
        return with("purpose", purpose);
    }

    /** Has the credential sealed to a recipient's SM2 public key, so that nothing on the way reads it. */
    public Application sealedTo(byte[] publicKeyPem) {
        return with("recipient", Recipients.of(new String(publicKeyPem, StandardCharsets.US_ASCII)));
    }

    Json json() {
        return Json.of(members);
    }

    /** The application without what does not matter to whether it is right. */
    Json record() {
        Map<String, Object> record = new LinkedHashMap<>(members);
        record.remove("recipient");
        return Json.of(record);
    }

    private Application with(String member, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(members);
        if (value != null) {
            more.put(member, Json.of(value));
        }
        return new Application(more);
    }
}
