package recording;

import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/**
 * What a recorded program says of itself: its turns, one JSON line each, for {@code tests/recordings/truth.py}.
 *
 * <p>A span processor of the program's provider: the trace of a turn is the first that begins while the turn lasts.
 * What else begins then, like an HTTP request of a thread that knows no parent, is a trace without a session and
 * without calls.
 */
public final class Turns implements SpanProcessor {
    private final Path file = Path.of(System.getenv("RECORDING_TURNS"));
    private final Path calls = Path.of(System.getenv("RECORDING_CALLS"));
    private final boolean textsAreTold;
    private final List<String> begun = new CopyOnWriteArrayList<>();

    /** @param textsAreTold whether the SDK exports what was said and answered */
    public Turns(boolean textsAreTold) {
        this.textsAreTold = textsAreTold;
    }

    /**
     * Runs a turn. One that says "please fail" has to fail.
     *
     * @param session where none is told, an empty text
     * @param details which of {@code DETAILS} of {@code truth.py} the SDK exports of these calls
     * @param answer gives what the person got
     */
    public void turn(String session, String said, List<String> details, Supplier<String> answer) {
        turn(session, said, details, true, answer);
    }

    /**
     * Runs a turn, as above.
     *
     * @param callsAreTold whether each call has a span with a response of its own
     */
    public void turn(
            String session, String said, List<String> details, boolean callsAreTold, Supplier<String> answer) {
        boolean fails = said.contains("please fail");
        begun.clear();
        long first = callCount();
        String answered = fails ? failed(answer) : answer.get();
        if (begun.isEmpty()) {
            throw new IllegalStateException(said + ": no trace began");
        }
        long end = callCount();
        write(begun.get(0), session, said, details, callsAreTold, fails, answered, first, end);
        for (String other : begun.subList(1, begun.size())) {
            write(other, "", "", List.of(), true, false, "", end, end);
        }
    }

    private void write(
            String trace,
            String session,
            String said,
            List<String> details,
            boolean callsAreTold,
            boolean fails,
            String answer,
            long first,
            long end) {
        String line = "{\"session_id\": " + quoted(session)
                + ", \"said\": " + quoted(said)
                + ", \"user_id\": null, \"tags\": [], \"fails\": " + fails
                + ", \"said_is_told\": " + textsAreTold
                + ", \"calls_are_told\": " + callsAreTold
                + ", \"details\": [" + String.join(", ", details.stream().map(Turns::quoted).toList())
                + "], \"answer\": " + quoted(textsAreTold ? answer : "")
                + ", \"trace_id\": " + quoted(trace)
                + ", \"first_call\": " + first
                + ", \"end_call\": " + end + "}\n";
        try {
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static String failed(Supplier<String> answer) {
        String answered;
        try {
            answered = answer.get();
        } catch (RuntimeException failure) {
            System.out.println("failed as it should: " + failure.getClass().getSimpleName());
            return "";
        }
        throw new IllegalStateException("did not fail: " + answered);
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    private long callCount() {
        try (var lines = Files.lines(calls)) {
            return lines.count();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @Override
    public void onStart(Context parent, ReadWriteSpan span) {
        if (!span.getParentSpanContext().isValid()) {
            begun.add(span.getSpanContext().getTraceId());
        }
    }

    @Override
    public boolean isStartRequired() {
        return true;
    }

    @Override
    public void onEnd(ReadableSpan span) {}

    @Override
    public boolean isEndRequired() {
        return false;
    }
}
