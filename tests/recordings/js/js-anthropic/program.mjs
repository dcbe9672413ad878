// Anthropic's SDK for JavaScript with the spans that it writes itself: the conversation's ID is an option of each
// request, texts are recorded only if the client is asked to. A call alone is a trace; where a turn has several, the
// program's own span holds them together, or the SDK's tool runner does. The SDK knows no users and no tags.

import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { api, NodeSDK, tracing } from "@opentelemetry/sdk-node";

import { Turns } from "../turns.mjs";

const turns = new Turns(["cache_read_tokens", "cache_write_tokens", "reasoning_tokens"]);
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const sdk = new NodeSDK({ spanProcessors: [turns.watcher, new tracing.BatchSpanProcessor(exporter)] });
sdk.start();
const tracer = api.trace.getTracer("shop");

const client = new Anthropic({ maxRetries: 1, openTelemetry: { traces: { contentMode: "content" } } });
const common = { model: "claude-sonnet-4-5", max_tokens: 1_000 };
const tools = [
  {
    name: "get_weather",
    description: "The weather in a city",
    input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];

const ida = "js-anthropic-1";
const jon = "js-anthropic-2";

/** One turn of a conversation; `body` gets what was said and the options of its requests. */
function turn(session, said, body, fails = false) {
  return turns.turn({ session, said, fails }, async (told) => {
    told.answer = await body(said, { openTelemetry: { conversationId: session } });
  });
}

const user = (content) => ({ role: "user", content });
const textOf = (message) => message.content.map((block) => block.text ?? "").join("");

const history = [];
await turn(ida, "Hello, who are you?", async (said, options) => {
  history.push(user([{ type: "text", text: said, cache_control: { type: "ephemeral" } }]));
  const answer = await client.messages.create(
    { ...common, system: "You are brief.", messages: history },
    options,
  );
  history.push({ role: "assistant", content: answer.content });
  return textOf(answer);
});

await turn(ida, "How is the weather in Berlin?", (said, options) =>
  tracer.startActiveSpan("answer", async (span) => {
    history.push(user(said));
    const asked = { ...common, system: "You are brief.", messages: history, tools };
    // Has a model and a count of tokens, and is no call.
    await client.messages.countTokens({ model: common.model, messages: history }, options);
    const first = await client.messages.create(asked, options);
    const use = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result", tool_use_id: use.id, content: `${use.input.city} 20C` };
    history.push({ role: "assistant", content: first.content }, user([result]));
    const second = await client.messages.create(asked, options);
    history.push({ role: "assistant", content: second.content });
    span.end();
    return textOf(second);
  }),
);

await turn(ida, "Stream me a poem ✨", async (said, options) => {
  const stream = client.messages.stream({ ...common, messages: [...history, user(said)] }, options);
  return stream.finalText();
});

// Of a stream that the program reads itself the SDK records no text of the answer (lib/tracing).
await turn(jon, "Stream it to me raw", async (said, options) => {
  const asked = { ...common, messages: [user(said)], stream: true };
  for await (const _ of await client.messages.create(asked, options));
  return null;
});

const getWeather = betaTool({
  name: "get_weather",
  description: "The weather in a city",
  inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  run: async ({ city }) => `${city} 20C`,
});
await turn(jon, "Will the weather stay?", async (said, options) => {
  const asked = { ...common, messages: [user(said)], tools: [getWeather] };
  return textOf(await client.beta.messages.toolRunner(asked, options));
});

await turn(
  jon,
  "please fail now",
  async (said, options) => textOf(await client.messages.create({ ...common, messages: [user(said)] }, options)),
  true,
);

await sdk.shutdown();
