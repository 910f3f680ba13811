package io.github.credledger.client;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/** Issues licences at an issuing department's service, {@code credledger issuer serve}, as one of the department's own systems. */
public final class Issuer {
    private static final String KEY = "Idempotency-Key";

    private final Settings settings;

    public Issuer(Settings settings) {
        this.settings = settings;
    }

    /**
     * A key for one thing to be done. Keep it with the case before the first call, and use it again until there is an answer:
     * then nothing is issued twice, whatever breaks down.
     */
    public static String newKey() {
        return UUID.randomUUID().toString();
    }

    /**
     * Issues one licence. When this returns it is on the ledger.
     *
     * @param key see {@link #newKey}
     * @throws ApiException {@code record-refused} with all that is wrong with the record, among others
     * @throws IOException if there is no answer: call again, with the same key
     */
    public Issued issue(Application application, String key) throws IOException {
        return new Issued(Call.post(settings, "/v1/licences", application.json()).with(KEY, key).repeatable().answer());
    }

    /** Says all that is wrong with a record, each with {@code code}, {@code field} and {@code message}; nothing if it would be issued. */
    public List<Json> check(Application application) throws IOException {
        return Call.post(settings, "/v1/previews", application.record()).repeatable().answer().get("problems").list();
    }

    /**
     * Begins to issue all licences of a file: CSV, JSON Lines, JSON or XML.
     *
     * @param dryRun only counts what would be issued and lists what would be rejected
     * @param key see {@link #newKey}
     */
    public Job begin(String type, Path file, String mediaType, boolean dryRun, String key) throws IOException {
        if (!type.matches("[a-z0-9-]{1,32}")) {
            throw new IllegalArgumentException("a type is named by its id");
        }
        String path = "/v1/imports?type=" + type + "&dryRun=" + dryRun;
        return new Job(Call.post(settings, path, mediaType, file).with(KEY, key).repeatable().answer());
    }

    /** Says how far a job has come. */
    public Job job(long id) throws IOException {
        return new Job(Call.get(settings, "/v1/jobs/" + id).answer());
    }

    /** Saves what a job has rejected and why, as CSV that a spreadsheet can open. */
    public void saveRejects(long job, Path to) throws IOException {
        Call.get(settings, "/v1/jobs/" + job + "/rejects?format=csv").save(to);
    }

    /** Saves the credentials of a job that is done, one after the other (a CBOR sequence). */
    public void saveCredentials(long job, Path to) throws IOException {
        Call.get(settings, "/v1/jobs/" + job + "/credentials").save(to);
    }

    /**
     * Suspends, restores, revokes or supersedes a licence.
     *
     * @param to active, suspended, superseded or revoked
     * @param reason one of the reasons that the type has for this change
     * @return whether the change is on the ledger; false if it waits for a second person
     */
    public boolean setStatus(long licence, String to, String reason, String purpose) throws IOException {
        Json body = Json.object().with("to", to).with("reason", reason).with("purpose", purpose).end();
        return !Call.post(settings, "/v1/licences/" + licence + "/status", body).answer().get("licence").get("id").isNull();
    }

    /** Gets the state of a licence, and the restrictions and bindings on it, without what it says. */
    public Json licence(long id) throws IOException {
        return Call.get(settings, "/v1/licences/" + id).answer();
    }
}
