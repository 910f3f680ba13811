package io.github.credledger.client;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Public keys as the services take them. */
final class Recipients {
    private static final Pattern PEM = Pattern.compile("\\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\\s]+)-----END PUBLIC KEY-----\\s*");

    private Recipients() {
    }

    /** The base64 in a PEM file. */
    static String of(String pem) {
        Matcher matcher = PEM.matcher(pem);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("a public key is a PEM file with BEGIN PUBLIC KEY");
        }
        return matcher.group(1).replaceAll("\\s", "");
    }
}
