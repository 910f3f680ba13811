package io.github.credledger.client;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A JSON value (RFC 8259) that does not change: an object, an array, a string, a number, true, false or null.
 *
 * <p>What is not there reads as null: {@code json.get("verdict").get("outcome").text()} is null if either is missing, so
 * that an answer with more or fewer members than this client knows does no harm.
 */
public final class Json implements Iterable<Json> {
    /** The JSON null, which also stands for what is missing. */
    public static final Json NULL = new Json(null);

    private final Object value; // Map<String, Json>, List<Json>, String, BigDecimal, Boolean, or null

    private Json(Object value) {
        this.value = value;
    }

    /**
     * Makes a value of a Map with strings as keys, an Iterable, a String, a Number, a Boolean, a byte[] (as base64), a Json,
     * or null.
     *
     * @throws IllegalArgumentException for anything else
     */
    public static Json of(Object value) {
        if (value == null) {
            return NULL;
        }
        if (value instanceof Json) {
            return (Json) value;
        }
        if (value instanceof String || value instanceof Boolean) {
            return new Json(value);
        }
        if (value instanceof byte[]) {
            return new Json(Base64.getEncoder().encodeToString((byte[]) value));
        }
        if (value instanceof Number) {
            return new Json(new BigDecimal(value.toString()));
        }
        if (value instanceof Map) {
            Map<String, Json> members = new LinkedHashMap<>();
            for (Map.Entry<?, ?> member : ((Map<?, ?>) value).entrySet()) {
                if (!(member.getKey() instanceof String)) {
                    throw new IllegalArgumentException("the members of a JSON object are named by strings");
                }
                members.put((String) member.getKey(), of(member.getValue()));
            }
            return new Json(Collections.unmodifiableMap(members));
        }
        if (value instanceof Iterable) {
            List<Json> elements = new ArrayList<>();
            for (Object element : (Iterable<?>) value) {
                elements.add(of(element));
            }
            return new Json(Collections.unmodifiableList(elements));
        }
        throw new IllegalArgumentException("no JSON is made of a " + value.getClass().getName());
    }

    /** Begins an object. */
    public static Members object() {
        return new Members();
    }

    /**
     * Reads one value, in UTF-8.
     *
     * @throws IllegalArgumentException if it is not JSON; the message has a position and nothing of the text
     */
    public static Json parse(byte[] text) {
        try {
            return new JsonReader(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString()).read();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("not JSON: it is not UTF-8");
        }
    }

    /** The member of an object; {@link #NULL} if there is none, or this is no object. */
    public Json get(String name) {
        Json member = value instanceof Map ? members().get(name) : null;
        return member == null ? NULL : member;
    }

    /** The elements of an array; nothing if this is none. */
    public List<Json> list() {
        return value instanceof List ? elements() : Collections.<Json>emptyList();
    }

    /** The members of an object, in their order; nothing if this is none. */
    public Map<String, Json> map() {
        return value instanceof Map ? members() : Collections.<String, Json>emptyMap();
    }

    /** The string, or null if this is none. */
    public String text() {
        return value instanceof String ? (String) value : null;
    }

    /** The whole number, or null if this is none or does not fit. */
    public Long number() {
        try {
            return value instanceof BigDecimal ? Long.valueOf(((BigDecimal) value).longValueExact()) : null;
        } catch (ArithmeticException notWhole) {
            return null;
        }
    }

    /** Whether this is true. */
    public boolean isTrue() {
        return Boolean.TRUE.equals(value);
    }

    /** Whether this is null, or missing. */
    public boolean isNull() {
        return value == null;
    }

    /**
     * The bytes that a string holds in base64; null if this is no string.
     *
     * @throws IllegalArgumentException if the string is no base64
     */
    public byte[] bytes() {
        return value instanceof String ? Base64.getDecoder().decode((String) value) : null;
    }

    @Override
    public Iterator<Json> iterator() {
        return list().iterator();
    }

    /** The value as JSON, without white space. */
    public String encode() {
        StringBuilder out = new StringBuilder();
        write(out);
        return out.toString();
    }

    /** Says what kind of value this is, and nothing of what is in it: it may be personal. */
    @Override
    public String toString() {
        String kind = value == null ? "null" : value instanceof Map ? "object" : value instanceof List ? "array" : value.getClass().getSimpleName();
        return "JSON " + kind;
    }

    static Json ofParsed(Object value) {
        return value == null ? NULL : new Json(value);
    }

    @SuppressWarnings("unchecked")
    private Map<String, Json> members() {
        return (Map<String, Json>) value;
    }

    @SuppressWarnings("unchecked")
    private List<Json> elements() {
        return (List<Json>) value;
    }

    private void write(StringBuilder out) {
        if (value instanceof Map) {
            char before = '{';
            for (Map.Entry<String, Json> member : members().entrySet()) {
                quote(out.append(before), member.getKey());
                member.getValue().write(out.append(':'));
                before = ',';
            }
            out.append(before == '{' ? "{}" : "}");
        } else if (value instanceof List) {
            char before = '[';
            for (Json element : elements()) {
                element.write(out.append(before));
                before = ',';
            }
            out.append(before == '[' ? "[]" : "]");
        } else if (value instanceof String) {
            quote(out, (String) value);
        } else if (value instanceof BigDecimal) {
            out.append(((BigDecimal) value).toPlainString());
        } else {
            out.append(value);
        }
    }

    private static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20 || Character.isSurrogate(c) && !isPaired(text, i)) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    private static boolean isPaired(String text, int i) {
        return Character.isHighSurrogate(text.charAt(i))
            ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
            : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }

    /** An object that is being put together. */
    public static final class Members {
        private final Map<String, Object> members = new LinkedHashMap<>();

        private Members() {
        }

        /** Adds a member, of what {@link Json#of} takes; a null is left out. */
        public Members with(String name, Object value) {
            if (value != null) {
                members.put(name, value);
            }
            return this;
        }

        /** The object. */
        public Json end() {
            return of(members);
        }
    }
}
