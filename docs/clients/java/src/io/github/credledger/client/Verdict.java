package io.github.credledger.client;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a service found out about a licence that somebody showed. */
public final class Verdict {
    private final Json json;

    Verdict(Json json) {
        this.json = json;
    }

    /** What it sums up to. */
    public Outcome outcome() {
        return Outcome.of(json.get("outcome").text());
    }

    /** The verdict for people, in a language ("zh" or "en"). */
    public String text(String language) {
        return json.get("text").get(language).text();
    }

    /** What is to be said beside it, such as that the holder was not proven; null if nothing is. */
    public String note(String language) {
        return json.get("note").get(language).text();
    }

    /**
     * Why: the reason code of an axis, one of content, issuer, anchor, status, restrictions, holder and freshness. The codes
     * are explained in the specification, section 17.
     */
    public String reason(String axis) {
        return json.get("axes").get(axis).get("reason").text();
    }

    /** Whether it was found that a holder of the licence shows it. */
    public boolean isHolderProven() {
        return "pass".equals(json.get("axes").get("holder").get("result").text());
    }

    /** Id of the licence's type; null if it could not be read. */
    public String type() {
        return json.get("licence").get("type").text();
    }

    /** Id of the department that issued it; null if it could not be read. */
    public String issuer() {
        return json.get("licence").get("issuer").text();
    }

    /** The licence's name on the ledger, together with its issuer; null if it could not be read. */
    public String digest() {
        return json.get("licence").get("digest").text();
    }

    /**
     * The disclosed fields by key, in the order of the type; several values where the field has several, none where it is
     * empty. There are none of a licence that is invalid.
     */
    public Map<String, List<String>> fields() {
        Map<String, List<String>> fields = new LinkedHashMap<>();
        for (Json field : json.get("fields")) {
            fields.put(field.get("key").text(), values(field.get("value")));
        }
        return Collections.unmodifiableMap(fields);
    }

    private static List<String> values(Json value) {
        List<String> values = new ArrayList<>();
        if (value.text() != null) {
            values.add(value.text());
        }
        for (Json each : value) {
            values.add(each.text());
        }
        return Collections.unmodifiableList(values);
    }

    /** The whole verdict, as the service wrote it. */
    public Json json() {
        return json;
    }

    /** The outcome; no field is told. */
    @Override
    public String toString() {
        return outcome().word();
    }
}
