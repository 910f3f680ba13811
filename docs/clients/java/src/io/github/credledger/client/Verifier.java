package io.github.credledger.client;

import java.io.IOException;

/** Verifies licences at a verifier's service, {@code credledger serve}; for the public without a token, for an agency with its own. */
public final class Verifier {
    private final Settings settings;

    public Verifier(Settings settings) {
        this.settings = settings;
    }

    /**
     * Verifies one licence.
     *
     * @throws ApiException if the service refuses the question, or is not able to answer it
     * @throws IOException if there is no answer
     */
    public Verification verify(Question question) throws IOException {
        Call call = Call.post(settings, "/v1/verifications", question.json());
        return new Verification((question.isRepeatable() ? call.repeatable() : call).answer());
    }

    /**
     * Gets a challenge for one proof of a holder.
     *
     * @param audience in whose name, one of those that the service allows; null for the first of them
     */
    public Challenge challenge(String audience) throws IOException {
        Json answer = Call.post(settings, "/v1/challenges", Json.object().with("audience", audience).end()).repeatable().answer();
        return new Challenge(answer.get("audience").text(), answer.get("nonce").text());
    }
}
