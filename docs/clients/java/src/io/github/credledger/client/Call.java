package io.github.credledger.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.CertificateException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.HttpsURLConnection;

/**
 * One call of a service, tried again where that does no harm: where no connection was made, where the service said "later",
 * and, if the call is repeatable, where an answer was lost or the service was not able.
 */
final class Call {
    private static final int MAX_ANSWER = 64 << 20; // bytes of an answer that is kept in memory
    private static final int MAX_PROBLEM = 1 << 20;
    private static final int BUFFER = 64 << 10;
    private static final long FIRST_PAUSE = 250; // milliseconds
    private static final long LONGEST_PAUSE = 10_000;

    private final Settings settings;
    private final String method;
    private final String path;
    private final Map<String, String> headers = new LinkedHashMap<>();
    private byte[] body;
    private Path file;
    private boolean repeatable;

    private Call(Settings settings, String method, String path) {
        this.settings = settings;
        this.method = method;
        this.path = path;
        repeatable = method.equals("GET");
        with("Accept", "application/json");
        if (settings.token() != null) {
            with("Authorization", "Bearer " + settings.token());
        }
    }

    static Call get(Settings settings, String path) {
        return new Call(settings, "GET", path);
    }

    static Call post(Settings settings, String path, Json body) {
        return post(settings, path, "application/json", body.encode().getBytes(StandardCharsets.UTF_8));
    }

    static Call post(Settings settings, String path, String mediaType, byte[] body) {
        Call call = new Call(settings, "POST", path).with("Content-Type", mediaType);
        call.body = body;
        return call;
    }

    static Call post(Settings settings, String path, String mediaType, Path file) {
        Call call = new Call(settings, "POST", path).with("Content-Type", mediaType);
        call.file = file;
        return call;
    }

    Call with(String header, String value) {
        headers.put(header, value);
        return this;
    }

    /** Says that the call does the same if it is sent again. */
    Call repeatable() {
        repeatable = true;
        return this;
    }

    /** Makes the call; the answer is JSON, null if it has no body. */
    Json answer() throws IOException {
        byte[] body = send(in -> {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            copy(in, out, MAX_ANSWER);
            return out.toByteArray();
        });
        try {
            return body.length == 0 ? Json.NULL : Json.parse(body);
        } catch (IllegalArgumentException e) {
            throw new IOException("the answer of " + settings + " is not that of a CredLedger service", e);
        }
    }

    /** Makes the call, and writes the answer to a file, which is there once it has come whole. */
    void save(Path to) throws IOException {
        Path part = to.resolveSibling(to.getFileName() + ".part");
        with("Accept", "*/*").send(in -> Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING));
        Files.move(part, to, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Takes the body of an answer. */
    private interface Receiver<T> {
        T read(InputStream in) throws IOException;
    }

    private <T> T send(Receiver<T> receiver) throws IOException {
        long start = System.nanoTime();
        for (long pause = FIRST_PAUSE;; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
            long wait = ThreadLocalRandom.current().nextLong(pause / 2, pause + 1);
            IOException failure;
            try {
                return once(receiver);
            } catch (ApiException answered) {
                failure = answered;
                if (!isForLater(answered)) {
                    throw failure;
                }
                wait = Math.max(wait, answered.retryAfterMillis());
            } catch (IOException e) {
                failure = e;
                if (isForGood(e) || !repeatable && !(e instanceof ConnectException)) {
                    throw failure;
                }
            }
            long spent = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            if (spent + wait > settings.patienceMillis()) {
                throw failure;
            }
            sleep(wait);
        }
    }

    private boolean isForLater(ApiException e) {
        return e.status() == 429 || e.status() == 503 && repeatable;
    }

    /** Whether it fails again however often it is tried: a certificate that is not trusted, a file that is not there. */
    private static boolean isForGood(IOException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException || cause instanceof FileSystemException) {
                return true;
            }
        }
        return false;
    }

    private static void sleep(long millis) throws IOException {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting to call again");
        }
    }

    private <T> T once(Receiver<T> receiver) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) URI.create(settings.url() + path).toURL().openConnection();
        if (connection instanceof HttpsURLConnection && settings.sockets() != null) {
            ((HttpsURLConnection) connection).setSSLSocketFactory(settings.sockets());
        }
        connection.setRequestMethod(method);
        connection.setConnectTimeout(settings.connectMillis());
        connection.setReadTimeout(settings.readMillis());
        connection.setInstanceFollowRedirects(false); // a token goes where it was meant to
        connection.setUseCaches(false);
        for (Map.Entry<String, String> header : headers.entrySet()) {
            connection.setRequestProperty(header.getKey(), header.getValue());
        }
        if (body != null || file != null) {
            write(connection);
        }
        int status = connection.getResponseCode();
        if (status < 200 || status > 299) {
            throw refused(connection, status);
        }
        try (InputStream in = new WholeInputStream(connection.getInputStream(), connection.getContentLengthLong())) {
            return receiver.read(in);
        }
    }

    /** Sends the body. That its length is said keeps the JDK from sending it a second time by itself. */
    private void write(HttpURLConnection connection) throws IOException {
        connection.setDoOutput(true);
        connection.setFixedLengthStreamingMode(file == null ? body.length : Files.size(file));
        try (OutputStream out = connection.getOutputStream()) {
            if (file == null) {
                out.write(body);
            } else {
                Files.copy(file, out);
            }
        }
    }

    private static ApiException refused(HttpURLConnection connection, int status) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        InputStream in = connection.getErrorStream();
        if (in != null) {
            try (InputStream problem = in) {
                copy(problem, out, MAX_PROBLEM);
            }
        }
        return new ApiException(status, problem(status, connection.getContentType(), out.toByteArray()),
            TimeUnit.SECONDS.toMillis(Math.max(0, connection.getHeaderFieldInt("Retry-After", 0))));
    }

    private static Json problem(int status, String mediaType, byte[] body) {
        if (status == 401 && body.length == 0) { // which the JDK keeps for itself
            return Json.object().with("code", "unauthenticated").end();
        }
        try {
            return mediaType != null && mediaType.startsWith("application/problem+json") ? Json.parse(body) : Json.NULL;
        } catch (IllegalArgumentException e) {
            return Json.NULL;
        }
    }

    private static void copy(InputStream in, OutputStream out, long limit) throws IOException {
        byte[] buffer = new byte[BUFFER];
        for (long total = 0;;) {
            int n = in.read(buffer);
            if (n < 0) {
                return;
            }
            total += n;
            if (total > limit) {
                throw new IOException("the answer is longer than " + limit + " bytes");
            }
            out.write(buffer, 0, n);
        }
    }
}
