package io.github.credledger.client;

/** A message of an issuer (webhook), of which the opener found that the issuer sent it just now. */
public final class Message {
    private final Json json;

    Message(Json json) {
        this.json = json;
    }

    /** Names the message: one that was not answered with success comes again, under its id. */
    public String id() {
        return json.get("id").text();
    }

    /** Whether the opener has seen the message before: act on it only if you have not, and answer with success. */
    public boolean isReplayed() {
        return json.get("replayed").isTrue();
    }

    /** What kind of event it tells of: licence.status, licence.restriction, licence.expiring or job.done; there may be more. */
    public String type() {
        return event().get("type").text();
    }

    /** What the message says. */
    public Json event() {
        return json.get("event");
    }
}
