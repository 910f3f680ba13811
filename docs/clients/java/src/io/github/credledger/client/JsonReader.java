package io.github.credledger.client;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads one JSON text, strictly: no comments, no second member of a name, nothing after it, no more than so deep. */
final class JsonReader {
    private static final int MAX_DEPTH = 64;
    private static final int MAX_NUMBER = 40; // characters

    private final String text;
    private int at;

    JsonReader(String text) {
        this.text = text;
    }

    Json read() {
        Json value = value(0);
        space();
        if (at < text.length()) {
            throw malformed("the end");
        }
        return value;
    }

    private Json value(int depth) {
        if (depth > MAX_DEPTH) {
            throw malformed("fewer levels");
        }
        switch (peek()) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return Json.ofParsed(string());
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Json object(int depth) {
        Map<String, Json> members = new LinkedHashMap<>();
        at++;
        while (more('}', members.isEmpty())) {
            if (peek() != '"') {
                throw malformed("the name of a member");
            }
            String name = string();
            if (peek() != ':') {
                throw malformed("a colon");
            }
            at++;
            if (members.put(name, value(depth + 1)) != null) {
                throw malformed("each member once");
            }
        }
        return Json.ofParsed(Collections.unmodifiableMap(members));
    }

    private Json array(int depth) {
        List<Json> elements = new ArrayList<>();
        at++;
        while (more(']', elements.isEmpty())) {
            elements.add(value(depth + 1));
        }
        return Json.ofParsed(Collections.unmodifiableList(elements));
    }

    /** Reads the closing bracket, or what stands before the next element. */
    private boolean more(char closing, boolean first) {
        char next = peek();
        if (next == closing) {
            at++;
            return false;
        }
        if (!first) {
            if (next != ',') {
                throw malformed("a comma");
            }
            at++;
            if (peek() == closing) {
                throw malformed("another element");
            }
        }
        return true;
    }

    private Json word(String word, Boolean value) {
        if (!text.startsWith(word, at)) {
            throw malformed("a value");
        }
        at += word.length();
        return Json.ofParsed(value);
    }

    private Json number() {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String number = text.substring(start, at);
        if (number.length() > MAX_NUMBER || !number.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")) {
            at = start;
            throw malformed("a value");
        }
        return Json.ofParsed(new BigDecimal(number));
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        for (at++; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '"') {
                at++;
                return out.toString();
            }
            if (c < 0x20) {
                throw malformed("no control character in a string");
            }
            out.append(c == '\\' ? escaped() : c);
        }
        throw malformed("the end of a string");
    }

    /** Reads an escape sequence up to its last character. */
    private char escaped() {
        at++;
        int simple = at < text.length() ? "\"\\/bfnrt".indexOf(text.charAt(at)) : -1;
        if (simple >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(simple);
        }
        if (at + 4 < text.length() && text.charAt(at) == 'u' && text.substring(at + 1, at + 5).matches("[0-9A-Fa-f]{4}")) {
            at += 4;
            return (char) Integer.parseInt(text.substring(at - 3, at + 1), 16);
        }
        throw malformed("an escape sequence");
    }

    private char peek() {
        space();
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private IllegalArgumentException malformed(String wanted) {
        return new IllegalArgumentException("not JSON: at character " + (at + 1) + ", expected " + wanted);
    }
}
