import io.github.credledger.client.ApiException;
import io.github.credledger.client.Application;
import io.github.credledger.client.Challenge;
import io.github.credledger.client.Issued;
import io.github.credledger.client.Issuer;
import io.github.credledger.client.Job;
import io.github.credledger.client.Json;
import io.github.credledger.client.Message;
import io.github.credledger.client.Opener;
import io.github.credledger.client.Opening;
import io.github.credledger.client.Question;
import io.github.credledger.client.Settings;
import io.github.credledger.client.Tls;
import io.github.credledger.client.Verdict;
import io.github.credledger.client.Verification;
import io.github.credledger.client.Verifier;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;

/** Does with the client what each line on standard input asks, and answers with a line of JSON. */
public final class Driver {
    private Driver() {
    }

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Json answer;
            try {
                answer = Json.object().with("ok", answer(Json.parse(line.getBytes(StandardCharsets.UTF_8)))).end();
            } catch (ApiException e) {
                answer = Json.object().with("code", e.code()).with("status", e.status()).with("member", e.member()).with("text", e.text("zh"))
                    .with("problems", e.problems()).with("message", e.getMessage()).with("instance", e.instance()).end();
            } catch (IOException | IllegalArgumentException e) {
                answer = Json.object().with("failed", e.getClass().getSimpleName()).with("message", e.getMessage()).end();
            }
            out.println(answer.encode());
        }
    }

    private static Json answer(Json q) throws IOException {
        switch (q.get("do").text()) {
            case "json":
                return Json.object().with("again", Json.parse(q.get("text").bytes()).encode()).end();
            case "settings":
                return Json.object().with("shown", Settings.at(q.get("url").text()).withToken(q.get("token").text()).toString()).end();
            case "verify":
                return verification(new Verifier(settings(q)).verify(question(q)));
            case "challenge":
                Challenge challenge = new Verifier(settings(q)).challenge(q.get("audience").text());
                return Json.object().with("audience", challenge.audience()).with("nonce", challenge.nonce()).end();
            case "open":
                Opening opening = new Opener(settings(q)).open(question(q));
                return Json.object().with("verdict", verdict(opening.verdict())).with("credential", opening.credential())
                    .with("contents", opening.contents()).with("type", opening.mediaType()).end();
            case "check":
                Message message = new Opener(settings(q)).check(
                    q.get("id").text(), q.get("timestamp").text(), q.get("signature").text(), q.get("body").bytes());
                return Json.object().with("id", message.id()).with("replayed", message.isReplayed()).with("type", message.type())
                    .with("event", message.event()).end();
            default:
                return issue(new Issuer(settings(q)), q);
        }
    }

    private static Json issue(Issuer issuer, Json q) throws IOException {
        switch (q.get("do").text()) {
            case "issue":
                Issued issued = issuer.issue(application(q), q.get("key").text());
                return Json.object().with("id", issued.id()).with("digest", issued.digest()).with("credential", issued.credential())
                    .with("sealed", issued.sealed()).with("earlier", issued.isEarlier()).with("licence", issued.licence()).end();
            case "preview":
                return Json.object().with("problems", issuer.check(application(q))).end();
            case "begin":
                return job(issuer.begin(q.get("type").text(), path(q, "file"), q.get("media").text(), q.get("dryRun").isTrue(), q.get("key").text()));
            case "job":
                return job(issuer.job(q.get("job").number()));
            case "saveRejects":
                issuer.saveRejects(q.get("job").number(), path(q, "file"));
                return Json.object().end();
            case "saveCredentials":
                issuer.saveCredentials(q.get("job").number(), path(q, "file"));
                return Json.object().end();
            case "status":
                boolean done = issuer.setStatus(q.get("licence").number(), q.get("to").text(), q.get("reason").text(), q.get("purpose").text());
                return Json.object().with("done", done).end();
            case "licence":
                return issuer.licence(q.get("licence").number());
            default:
                throw new IllegalArgumentException("nobody knows how to do that");
        }
    }

    private static Settings settings(Json q) throws IOException {
        Settings settings = Settings.at(q.get("url").text());
        if (!q.get("token").isNull()) {
            settings = settings.withToken(q.get("token").text());
        }
        if (!q.get("pkcs12").isNull()) {
            settings = settings.withSockets(Tls.provingWith(path(q, "authorities"), path(q, "pkcs12"), q.get("password").text().toCharArray()));
        } else if (!q.get("authorities").isNull()) {
            settings = settings.withSockets(Tls.trusting(path(q, "authorities")));
        }
        return q.get("patience").isNull() ? settings : settings.withTimes(2_000, 2_000, q.get("patience").number().intValue());
    }

    private static Path path(Json q, String member) {
        return Paths.get(q.get(member).text());
    }

    private static Question question(Json q) {
        Question question = shown(q);
        if (!q.get("nonce").isNull()) {
            question = question.answering(new Challenge(q.get("audience").text(), q.get("nonce").text()));
        }
        if (q.get("holderRequired").isTrue()) {
            question = question.requiringHolder();
        }
        if (!q.get("asOf").isNull()) {
            question = question.asOf(q.get("asOf").text());
        }
        if (!q.get("fields").isNull()) {
            question = question.needing(q.get("fields").list().stream().map(Json::text).toArray(String[]::new));
        }
        if (!q.get("matter").isNull()) {
            question = question.asked("window 3", "hall 1", q.get("matter").text(), "2026-000042");
        }
        return question;
    }

    private static Question shown(Json q) {
        if (!q.get("code").isNull()) {
            return Question.ofCode(q.get("code").text());
        }
        if (!q.get("sealed").isNull()) {
            return Question.ofSealed(q.get("sealed").bytes());
        }
        if (!q.get("image").isNull()) {
            return Question.ofImage(q.get("image").bytes());
        }
        if (!q.get("file").isNull()) {
            return q.get("credential").isNull() ? Question.ofFile(q.get("file").bytes()) : Question.ofFile(q.get("file").bytes(), q.get("credential").bytes());
        }
        return Question.ofCredential(q.get("credential").bytes());
    }

    private static Application application(Json q) {
        Application application = Application.of(q.get("type").text(), q.get("fields").map())
            .valid(q.get("validFrom").text(), q.get("validUntil").text()).purpose(q.get("purpose").text());
        if (!q.get("predecessor").isNull()) {
            application = application.replacing(q.get("predecessor").number());
        }
        return q.get("recipient").isNull() ? application : application.sealedTo(q.get("recipient").bytes());
    }

    private static Json job(Job job) {
        return Json.object().with("id", job.id()).with("done", job.isDone()).with("failed", job.isFailed()).with("accepted", job.accepted())
            .with("rejected", job.rejected()).end();
    }

    private static Json verification(Verification v) {
        return Json.object().with("verdict", verdict(v.verdict())).with("withheld", v.withheld()).with("receipt", v.receipt()).end();
    }

    private static Json verdict(Verdict v) {
        return Json.object().with("outcome", v.outcome().word()).with("text", v.text("zh")).with("note", v.note("en")).with("status", v.reason("status"))
            .with("holder", v.isHolderProven()).with("type", v.type()).with("issuer", v.issuer()).with("digest", v.digest())
            .with("fields", v.fields()).with("shown", v.toString() + v.json()).end();
    }
}
