// Laminar's TypeScript SDK: two turns of a session.

// snippet
import { Laminar, observe } from "@lmnr-ai/lmnr";

Laminar.initialize({
  projectApiKey: "any-key",
  baseUrl: "http://127.0.0.1",
  httpPort: 4318,
  grpcPort: 4317,
});

const turn = (question) =>
  observe({ name: "turn", sessionId: "my-session", userId: "alice" }, () => answer(question));
// end

// Stands for a model's call, which the SDK would turn into such a span by itself.
const answer = (question) =>
  observe({ name: "chat", spanType: "LLM", input: question }, async () => {
    Laminar.setSpanAttributes({
      "gen_ai.system": "openai",
      "gen_ai.request.model": "gpt-4o-mini",
      "gen_ai.usage.input_tokens": 100,
      "gen_ai.usage.output_tokens": 40,
    });
    return "It is on its way.";
  });

await turn("Where is my order?");
await turn("And my refund?");
await Laminar.shutdown();
