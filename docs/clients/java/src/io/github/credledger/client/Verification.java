package io.github.credledger.client;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The answer of a verifier: the verdict, and the receipt that says later what was found. */
public final class Verification {
    private final Json json;

    Verification(Json json) {
        this.json = json;
    }

    /** The verdict. */
    public Verdict verdict() {
        return new Verdict(json.get("verdict"));
    }

    /** Keys of the fields that are disclosed and left out here, because the agency may not see them or did not need them. */
    public List<String> withheld() {
        List<String> keys = new ArrayList<>();
        for (Json key : json.get("withheld")) {
            keys.add(key.text());
        }
        return Collections.unmodifiableList(keys);
    }

    /** The receipt file (核验回执), to be kept with the case: {@code credledger receipt verify} checks it years later. */
    public String receipt() {
        return json.get("receipt").encode();
    }
}
