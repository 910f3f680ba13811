package io.github.credledger.client;

/** How far an import has come. */
public final class Job {
    private final Json json;

    Job(Json json) {
        this.json = json;
    }

    public long id() {
        return json.get("id").number();
    }

    /** Whether all of it is settled: issued or rejected. */
    public boolean isDone() {
        return "done".equals(json.get("state").text());
    }

    /** Whether it ended before that: {@code problem} of {@link #json} says why. What was issued until then stays issued. */
    public boolean isFailed() {
        return "failed".equals(json.get("state").text());
    }

    /** Records that are issued, or, of a dry run, would be. */
    public long accepted() {
        return json.get("accepted").number();
    }

    /** Records that are rejected, each listed with its reason. */
    public long rejected() {
        return json.get("rejected").number();
    }

    /** The whole job, as the service wrote it. */
    public Json json() {
        return json;
    }
}
