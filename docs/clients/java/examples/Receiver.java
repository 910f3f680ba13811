import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.credledger.client.ApiException;
import io.github.credledger.client.Message;
import io.github.credledger.client.Opener;
import io.github.credledger.client.Settings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.concurrent.Executors;

/**
 * Receives the messages of issuers, and has each checked by the opener on this machine before anything is done.
 *
 * <p>It listens on loopback, behind the proxy that ends HTTPS. What is not answered with success comes again, for days.
 */
public final class Receiver {
    private static final int MAX_BODY = 16 << 10;

    private final Opener opener;

    private Receiver(Opener opener) {
        this.opener = opener;
    }

    public static void main(String[] args) throws IOException {
        String token = new String(Files.readAllBytes(Paths.get(System.getenv("TOKEN_FILE"))), StandardCharsets.US_ASCII).trim();
        Settings settings = Settings.at(System.getenv("SERVICE_URL")).withToken(token).withTimes(1_000, 5_000, 2_000); // the issuer waits
        Receiver receiver = new Receiver(new Opener(settings));
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/messages", receiver::receive);
        server.start();
        System.out.println("receiving at http://127.0.0.1:" + server.getAddress().getPort() + "/messages");
    }

    private void receive(HttpExchange exchange) throws IOException {
        int status;
        try {
            status = handle(exchange);
        } catch (ApiException e) { // not the issuer's, or not of just now: 400; the opener's own trouble: 503, and it comes again
            System.err.println("refused: " + e.code());
            status = e.status() == 422 ? 400 : 503;
        } catch (IOException | RuntimeException e) {
            System.err.println("could not be checked: " + e);
            status = 503;
        }
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    private int handle(HttpExchange exchange) throws IOException {
        byte[] body = read(exchange.getRequestBody());
        if (body == null) {
            return 413;
        }
        Message message = opener.check(header(exchange, "webhook-id"), header(exchange, "webhook-timestamp"), header(exchange, "webhook-signature"), body);
        if (!message.isReplayed()) {
            act(message);
        }
        return 204;
    }

    /** What a message is for: here it is only told. Act on what is so now, and a message that comes twice does no harm. */
    private static void act(Message message) {
        System.out.println(message.type() + " " + message.event().get("licence").get("digest").text());
    }

    private static String header(HttpExchange exchange, String name) {
        String value = exchange.getRequestHeaders().getFirst(name);
        return value == null ? "" : value;
    }

    private static byte[] read(InputStream in) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] buffer = new byte[4 << 10];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            out.write(buffer, 0, n);
            if (out.size() > MAX_BODY) {
                return null;
            }
        }
        return out.toByteArray();
    }
}
