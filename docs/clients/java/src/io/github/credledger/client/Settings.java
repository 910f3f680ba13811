package io.github.credledger.client;

import java.net.URI;
import java.util.Locale;
import javax.net.ssl.SSLSocketFactory;

/**
 * Where a service is, who calls it, and how long a call may take. Immutable: each {@code with} gives other settings.
 *
 * <p>A token goes over HTTPS, or to this very machine; everything else is refused.
 */
public final class Settings {
    private final String url;
    private final String token;
    private final SSLSocketFactory sockets;
    private final int connectMillis;
    private final int readMillis;
    private final int patienceMillis;

    private Settings(String url, String token, SSLSocketFactory sockets, int connectMillis, int readMillis, int patienceMillis) {
        this.url = url;
        this.token = token;
        this.sockets = sockets;
        this.connectMillis = connectMillis;
        this.readMillis = readMillis;
        this.patienceMillis = patienceMillis;
    }

    /**
     * A service at an address like {@code https://verifier.example} or {@code http://127.0.0.1:8420}.
     *
     * @throws IllegalArgumentException if it is neither HTTPS nor this machine
     */
    public static Settings at(String url) {
        URI uri = URI.create(url);
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        String host = uri.getHost() == null ? "" : uri.getHost().toLowerCase(Locale.ROOT);
        boolean here = host.equals("localhost") || host.equals("127.0.0.1") || host.equals("[::1]");
        if (host.isEmpty() || uri.getQuery() != null || uri.getFragment() != null || uri.getUserInfo() != null) {
            throw new IllegalArgumentException("the address of a service is like https://HOST or https://HOST:PORT");
        }
        if (!scheme.equals("https") && !(scheme.equals("http") && here)) {
            throw new IllegalArgumentException("the address of a service begins with https://, or is on this machine");
        }
        return new Settings(url.replaceAll("/+$", ""), null, null, 5_000, 30_000, 60_000);
    }

    /** Calls with a bearer token. */
    public Settings withToken(String token) {
        if (token == null || !token.matches("[A-Za-z0-9._~+/=-]{1,512}")) {
            throw new IllegalArgumentException("a token is one word, as it was made");
        }
        return new Settings(url, token, sockets, connectMillis, readMillis, patienceMillis);
    }

    /** Calls over HTTPS with these sockets, see {@link Tls}; without, with those of the JDK. */
    public Settings withSockets(SSLSocketFactory sockets) {
        return new Settings(url, token, sockets, connectMillis, readMillis, patienceMillis);
    }

    /**
     * Takes other times, in milliseconds: for a connection (5,000 unless said), for the next bytes of an answer (30,000), and
     * for a call with all that is tried again (60,000).
     */
    public Settings withTimes(int connectMillis, int readMillis, int patienceMillis) {
        if (connectMillis <= 0 || readMillis <= 0 || patienceMillis < 0) {
            throw new IllegalArgumentException("times are positive");
        }
        return new Settings(url, token, sockets, connectMillis, readMillis, patienceMillis);
    }

    String url() {
        return url;
    }

    String token() {
        return token;
    }

    SSLSocketFactory sockets() {
        return sockets;
    }

    int connectMillis() {
        return connectMillis;
    }

    int readMillis() {
        return readMillis;
    }

    int patienceMillis() {
        return patienceMillis;
    }

    /** The address; the token is not told. */
    @Override
    public String toString() {
        return url;
    }
}
