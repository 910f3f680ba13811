package io.github.credledger.client;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What somebody shows, and what is asked about it. Immutable: each method gives another question. */
public final class Question {
    private final Map<String, Object> members;

    private Question(Map<String, Object> members) {
        this.members = Collections.unmodifiableMap(members);
    }

    /** The text of a code as it was scanned: 亮证码 or 纸质核验码. */
    public static Question ofCode(String text) {
        return shown("code", text);
    }

    /** A credential or a presentation. */
    public static Question ofCredential(byte[] credential) {
        return shown("credential", credential);
    }

    /** A PNG or JPEG picture of a code. */
    public static Question ofImage(byte[] image) {
        return shown("image", image);
    }

    /** An OFD or PDF file that carries its credential. */
    public static Question ofFile(byte[] file) {
        return shown("file", file);
    }

    /** Any file, with the credential that discloses its digest. */
    public static Question ofFile(byte[] file, byte[] credential) {
        return shown("file", file).with("credential", credential);
    }

    /** Something sealed to a key of the {@link Opener}'s; for it alone. */
    public static Question ofSealed(byte[] envelope) {
        return shown("sealed", envelope);
    }

    /** The holder was asked to prove this; a challenge answers one question. */
    public Question answering(Challenge challenge) {
        return with("audience", challenge.audience()).with("nonce", challenge.nonce());
    }

    /** Without a holder's proof the licence is not to be valid. */
    public Question requiringHolder() {
        return with("holderRequired", Boolean.TRUE);
    }

    /** Asks for the status on another day, like 2026-01-31. */
    public Question asOf(String day) {
        return with("asOf", day);
    }

    /** Needs no more than these fields; for a {@link Verifier} that an agency calls. */
    public Question needing(String... fields) {
        return with("fields", Arrays.asList(fields.clone()));
    }

    /**
     * Says who asks and what for; for a {@link Verifier} that an agency calls, which must say it.
     *
     * @param matter id of the matter that is handled
     * @param caseNumber number of the case (办件号); may be null
     */
    public Question asked(String clerk, String unit, String matter, String caseNumber) {
        return with("context", Json.object().with("clerk", clerk).with("unit", unit).with("matter", matter).with("case", caseNumber).end());
    }

    Json json() {
        return Json.of(members);
    }

    /** Whether asking twice is the same as asking once: a challenge is redeemed by the first. */
    boolean isRepeatable() {
        return !members.containsKey("nonce");
    }

    private static Question shown(String member, Object value) {
        return new Question(Collections.<String, Object>emptyMap()).with(member, value);
    }

    private Question with(String member, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(members);
        more.put(member, Json.of(value));
        return new Question(more);
    }
}
