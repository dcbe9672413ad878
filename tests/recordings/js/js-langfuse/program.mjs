// Langfuse's SDK for JavaScript: the OpenAI client observed, plain and streamed, with a tool, an embedding and a
// call that fails; chat completions and the Responses API.

import { observeOpenAI } from "@langfuse/openai";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { observe, propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK } from "@opentelemetry/sdk-node";
import OpenAI from "openai";

import { Turns } from "../turns.mjs";

const turns = new Turns();
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const sdk = new NodeSDK({ spanProcessors: [turns.watcher, new LangfuseSpanProcessor({ exporter })] });
sdk.start();

const plain = new OpenAI({ maxRetries: 0 });
const openai = observeOpenAI(plain);
const model = "gpt-4o-mini";
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather in a city",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];

const getWeather = observe(async ({ city }) => ({ city, celsius: 20 }), { name: "get_weather", asType: "tool" });

/** One turn as a trace: a root span named `name` with what was said and what came back. */
function turn(name, { metadata = {}, ...given }, body) {
  const propagated = { sessionId: given.session, userId: given.user, tags: given.tags, metadata, traceName: name };
  return turns.turn(given, (told) =>
    propagateAttributes(propagated, () =>
      startActiveObservation(name, async (span) => {
        span.update({ input: { question: given.said } });
        told.answer = await body(span);
        span.update({ output: told.answer });
      }),
    ),
  );
}

async function streamed(parameters) {
  const stream = await openai.chat.completions.create({ model, stream: true, ...parameters });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  return text;
}

const ada = { session: "js-langfuse-1", user: "ada", tags: ["web", "beta"], metadata: { plan: "pro" } };
const bob = { session: "js-langfuse-2", user: "bob", tags: ["mobile"] };

await turn("chat", { ...ada, said: "Hello, who are you?" }, async () => {
  const messages = [
    { role: "system", content: "You are brief." },
    { role: "user", content: "Hello, who are you?" },
  ];
  const answer = await openai.chat.completions.create({ model, messages });
  return answer.choices[0].message.content;
});

await turn("chat", { ...ada, said: "How is the weather in Berlin?" }, async () => {
  const messages = [
    { role: "user", content: "Hello, who are you?" },
    { role: "assistant", content: "An assistant." },
    { role: "user", content: "How is the weather in Berlin?" },
  ];
  const first = await openai.chat.completions.create({ model, messages, tools });
  const message = first.choices[0].message;
  const result = await getWeather(JSON.parse(message.tool_calls[0].function.arguments));
  messages.push(message, {
    role: "tool",
    tool_call_id: message.tool_calls[0].id,
    content: JSON.stringify(result),
  });
  const second = await openai.chat.completions.create({ model, messages, tools });
  return second.choices[0].message.content;
});

await turn("search", { ...ada, said: "Find the notes on spans" }, async () => {
  // Langfuse's way to observe an embedding: an observation of that type around the plain client.
  await startActiveObservation(
    "embed",
    async (embedding) => {
      const input = "Find the notes on spans";
      const answer = await plain.embeddings.create({ model: "text-embedding-3-small", input });
      embedding.update({ model: answer.model, input, usageDetails: { input: answer.usage.prompt_tokens } });
    },
    { asType: "embedding" },
  );
  const messages = [{ role: "user", content: [{ type: "text", text: "Find the notes on spans" }] }];
  const stream_options = { include_usage: true };
  return streamed({ messages, stream_options });
});

await turn("chat", { ...bob, said: "Stream me a poem ✨" }, () =>
  streamed({
    messages: [{ role: "user", content: "Stream me a poem ✨" }],
    stream_options: { include_usage: true },
  }),
);

// Without `include_usage` the server doesn't tell a stream's usage.
await turn("chat", { ...bob, said: "And one without usage" }, () =>
  streamed({ messages: [{ role: "user", content: "And one without usage" }] }),
);

// The observed client marks the failure by its level alone; the error is dealt with here.
await turn("chat", { ...bob, said: "please fail now", fails: true }, async () => {
  const messages = [{ role: "user", content: "please fail now" }];
  return openai.chat.completions.create({ model, messages }).then(
    (answer) => answer.choices[0].message.content,
    () => "",
  );
});

await turn("respond", { ...bob, said: "Use the newer API" }, async () => {
  const answer = await openai.responses.create({ model, input: "Use the newer API" });
  return answer.output_text;
});

await turn("respond", { ...bob, said: "Use it streamed" }, async () => {
  const input = [{ role: "user", content: "Use it streamed" }];
  const stream = await openai.responses.create({ model, input, stream: true });
  let text = "";
  for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
  return text;
});

await sdk.shutdown();
