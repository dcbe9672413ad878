// OpenTelemetry's JavaScript SDK: two turns of a session.

// snippet
import { trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const exporter = new OTLPTraceExporter({ url: "http://127.0.0.1:4318/v1/traces" });
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
provider.register();
const tracer = trace.getTracer("my-application");

const turn = (question) =>
  tracer.startActiveSpan("turn", async (span) => {
    span.setAttributes({ "session.id": "my-session", "user.id": "alice" });
    const text = await answer(question);
    span.end();
    return text;
  });
// end

// Stands for a model's call, by the semantic conventions of GenAI.
const answer = (question) =>
  tracer.startActiveSpan("chat gpt-4o-mini", async (span) => {
    span.setAttributes({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o-mini",
      "gen_ai.usage.input_tokens": 100,
      "gen_ai.usage.output_tokens": 40,
    });
    span.end();
    return "It is on its way.";
  });

// Without this the SDK is silent about spans that were refused.
const { diag, DiagConsoleLogger, DiagLogLevel } = await import("@opentelemetry/api");
diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);

await turn("Where is my order?");
await turn("And my refund?");
await provider.shutdown();
