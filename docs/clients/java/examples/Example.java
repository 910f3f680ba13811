import io.github.credledger.client.ApiException;
import io.github.credledger.client.Application;
import io.github.credledger.client.Issued;
import io.github.credledger.client.Issuer;
import io.github.credledger.client.Json;
import io.github.credledger.client.Opener;
import io.github.credledger.client.Opening;
import io.github.credledger.client.Outcome;
import io.github.credledger.client.Question;
import io.github.credledger.client.Settings;
import io.github.credledger.client.Tls;
import io.github.credledger.client.Verdict;
import io.github.credledger.client.Verification;
import io.github.credledger.client.Verifier;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Issues, verifies and opens licences: what a department's own system does, in three methods.
 *
 * <p>SERVICE_URL says where the service is, TOKEN_FILE which file holds the token, and AUTHORITIES, if it is set, whose
 * certificates are trusted.
 */
public final class Example {
    private Example() {
    }

    public static void main(String[] args) throws IOException {
        try {
            if (args.length == 2 && args[0].equals("verify")) {
                verify(settings(), args[1]);
            } else if (args.length == 4 && args[0].equals("issue")) {
                issue(settings(), args[1], Paths.get(args[2]), Paths.get(args[3]));
            } else if (args.length == 2 && args[0].equals("open")) {
                open(settings(), Paths.get(args[1]));
            } else {
                System.err.println("usage: Example verify CODE | issue TYPE RECORD.json RECIPIENT.pem | open ENVELOPE");
                System.exit(2);
            }
        } catch (ApiException e) { // answered, with a reason
            System.err.println(e.code() + ": " + e.text("en"));
            for (Json problem : e.problems()) {
                System.err.println("  " + problem.get("field").text() + ": " + problem.get("message").text());
            }
            System.exit(1);
        }
    }

    /** A counter's system: may the case go on? */
    private static void verify(Settings settings, String code) throws IOException {
        Question question = Question.ofCode(code)
            .asked("window 3", "hall 1", "second-hand-home-transfer", "2026-000042")
            .needing("rightHolders", "location");
        Verification verification = new Verifier(settings).verify(question);
        print(verification.verdict());
        Files.write(Paths.get("receipt.json"), verification.receipt().getBytes(StandardCharsets.UTF_8)); // keep it with the case
    }

    /** A registry's system: hands a licence out, so that nobody on the way reads the credential. */
    private static void issue(Settings settings, String type, Path record, Path recipient) throws IOException {
        Map<String, Object> fields = new LinkedHashMap<>(Json.parse(Files.readAllBytes(record)).map());
        Application application = Application.of(type, fields).purpose("2026-000042").sealedTo(Files.readAllBytes(recipient));
        Path keyFile = Paths.get("key.txt"); // kept before the first call: after a crash the same key is used again
        if (!Files.exists(keyFile)) {
            Files.write(keyFile, Issuer.newKey().getBytes(StandardCharsets.US_ASCII));
        }
        String key = new String(Files.readAllBytes(keyFile), StandardCharsets.US_ASCII);
        Issued issued = new Issuer(settings).issue(application, key);
        Files.write(Paths.get("licence.envelope"), issued.sealed());
        System.out.println("issued " + issued.digest() + (issued.isEarlier() ? " (before)" : ""));
    }

    /** A system without national cryptography: asks the endpoint on its own machine. */
    private static void open(Settings settings, Path envelope) throws IOException {
        Opening opening = new Opener(settings).open(Question.ofSealed(Files.readAllBytes(envelope)));
        print(opening.verdict());
    }

    private static void print(Verdict verdict) {
        System.out.println(verdict.outcome().word() + ": " + verdict.text("zh"));
        if (verdict.outcome() == Outcome.VALID) {
            for (String key : verdict.fields().keySet()) {
                System.out.println("  " + key + ": " + String.join(", ", verdict.fields().get(key)));
            }
        } else {
            System.out.println("  status: " + verdict.reason("status") + ", restrictions: " + verdict.reason("restrictions"));
        }
    }

    private static Settings settings() throws IOException {
        byte[] token = Files.readAllBytes(Paths.get(System.getenv("TOKEN_FILE")));
        Settings settings = Settings.at(System.getenv("SERVICE_URL")).withToken(new String(token, StandardCharsets.US_ASCII).trim());
        String authorities = System.getenv("AUTHORITIES");
        return authorities == null ? settings : settings.withSockets(Tls.trusting(Paths.get(authorities)));
    }
}
