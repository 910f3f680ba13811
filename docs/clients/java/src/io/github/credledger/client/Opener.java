package io.github.credledger.client;

import java.io.IOException;

/**
 * Has things opened and checked on this machine, by {@code credledger open}: for systems without national cryptography.
 *
 * <p>The token is in the file that the opener names when it starts.
 */
public final class Opener {
    private final Settings settings;

    public Opener(Settings settings) {
        this.settings = settings;
    }

    /**
     * Opens what is sealed, and verifies what is inside or shown.
     *
     * @throws ApiException if it cannot be opened or read
     * @throws IOException if there is no answer
     */
    public Opening open(Question question) throws IOException {
        return new Opening(Call.post(settings, "/v1/openings", question.json()).repeatable().answer());
    }

    /**
     * Checks a message that came from an issuer: hand over the three headers and the body, every byte as it came.
     *
     * @throws ApiException if the issuer did not send it just now: do not act on it, and answer without success
     * @throws IOException if there is no answer: answer without success, and it comes again
     */
    public Message check(String webhookId, String webhookTimestamp, String webhookSignature, byte[] body) throws IOException {
        Call call = Call.post(settings, "/v1/webhooks", "application/json", body);
        call.with("Webhook-Id", webhookId).with("Webhook-Timestamp", webhookTimestamp).with("Webhook-Signature", webhookSignature);
        return new Message(call.answer());
    }
}
