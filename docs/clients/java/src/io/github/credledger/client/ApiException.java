package io.github.credledger.client;

import java.io.IOException;
import java.util.List;

/**
 * A call that a service has answered, and refused or failed (RFC 9457). Programs branch on {@link #code}; the codes are in
 * the services' {@code /v1/openapi.yaml} and never change. A call that got no answer is another {@link IOException}.
 *
 * <p>Neither says anything about a licence: that could not be verified, or not issued, is no verdict.
 */
public final class ApiException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final transient Json problem;
    private final long retryAfterMillis;

    ApiException(int status, Json problem, long retryAfterMillis) {
        super(status + " " + codeOf(status, problem) + (problem.get("detail").text() == null ? "" : ": " + problem.get("detail").text()));
        this.status = status;
        this.problem = problem;
        this.retryAfterMillis = retryAfterMillis;
    }

    /** The status of the answer, 400 to 599. */
    public int status() {
        return status;
    }

    /** What is wrong, in kebab case; {@code http-STATUS} if something on the way answered in place of the service. */
    public String code() {
        return codeOf(status, problem());
    }

    /** Where in the request it is wrong: a JSON Pointer, or the name of a parameter or header; null if nowhere. */
    public String member() {
        return problem().get("member").text();
    }

    /** What is wrong, for people, in a language ("zh" or "en"); null if the service did not answer itself. */
    public String text(String language) {
        return problem().get("text").get(language).text();
    }

    /** With {@code record-refused}, all that is wrong with the record: {@code code}, {@code field}, {@code message}. */
    public List<Json> problems() {
        return problem().get("problems").list();
    }

    /** Names the call to the operator of the service; null if there is no name. */
    public String instance() {
        return problem().get("instance").text();
    }

    long retryAfterMillis() {
        return retryAfterMillis;
    }

    private Json problem() {
        return problem == null ? Json.NULL : problem; // after it was serialised
    }

    private static String codeOf(int status, Json problem) {
        String code = problem.get("code").text();
        return code == null ? "http-" + status : code;
    }
}
