// Anthropic's SDK for JavaScript under OpenLLMetry, beside the spans that the SDK writes itself: each call is told
// twice. Of OpenLLMetry's counts the cache stands beside the input (instrumentation-anthropic 0.27.0), of the SDK's
// inside. OpenLLMetry can't instrument version 1 of the SDK, which has no Text Completions any more; 0.134 was the
// first with spans of its own. Sessions and users are association properties, which are on OpenLLMetry's spans and the SDK's alike.

import * as anthropic from "@anthropic-ai/sdk";
import * as traceloop from "@traceloop/node-server-sdk";

import { Turns } from "../turns.mjs";

const turns = new Turns(["cache_read_tokens", "cache_write_tokens", "reasoning_tokens"]);
traceloop.initialize({
  appName: process.env.OTEL_SERVICE_NAME,
  baseUrl: process.env.RECORDING_OTLP,
  apiKey: "stand-in",
  instrumentModules: { anthropic },
  processor: turns.watcher,
  traceloopSyncEnabled: false,
  silenceInitializationMessage: true,
});

const client = new anthropic.Anthropic({ maxRetries: 0 });
const common = { model: "claude-sonnet-4-5", max_tokens: 1_000 };
const tools = [
  {
    name: "get_weather",
    description: "The weather in a city",
    input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];

const sue = { session: "js-anthropic-traceloop-1", user: "sue" };
const tom = { session: "js-anthropic-traceloop-2", user: "tom" };

/** One turn as a workflow. */
function turn(given, body) {
  const properties = { session_id: given.session, user_id: given.user };
  return turns.turn(given, (told) => {
    if (given.details) told.details = given.details;
    return traceloop.withAssociationProperties(properties, () =>
      traceloop.withWorkflow({ name: "chat" }, async (said) => (told.answer = await body(said)), given.said),
    );
  });
}

const user = (content) => ({ role: "user", content });
const textOf = (message) => message.content.map((block) => block.text ?? "").join("");

const history = [];
await turn({ ...sue, said: "Hello, who are you?" }, async (said) => {
  history.push(user([{ type: "text", text: said, cache_control: { type: "ephemeral" } }]));
  const answer = await client.messages.create({ ...common, system: "You are brief.", messages: history });
  history.push({ role: "assistant", content: answer.content });
  return textOf(answer);
});

await turn({ ...sue, said: "How is the weather in Berlin?" }, async (said) => {
  history.push(user(said));
  const asked = { ...common, system: "You are brief.", messages: history, tools };
  const first = await client.messages.create(asked);
  const use = first.content.find((block) => block.type === "tool_use");
  const content = await traceloop.withTool(
    { name: "get_weather" },
    async (city) => `${city} 20C`,
    use.input.city,
  );
  const result = { type: "tool_result", tool_use_id: use.id, content };
  history.push({ role: "assistant", content: first.content }, user([result]));
  return textOf(await client.messages.create(asked));
});

await turn({ ...tom, said: "Stream me a poem ✨" }, async (said) => {
  const stream = await client.messages.create({ ...common, messages: [user(said)], stream: true });
  let text = "";
  for await (const event of stream) if (event.type === "content_block_delta") text += event.delta.text;
  return text;
});

// The SDK's own spans switched off: what is left says nothing of reasoning.
const quiet = new anthropic.Anthropic({ maxRetries: 0, openTelemetry: false });
const details = ["cache_read_tokens", "cache_write_tokens"];
await turn({ ...tom, said: "And the last one", details }, async (said) => {
  return textOf(await quiet.messages.create({ ...common, messages: [user(said)] }));
});

await traceloop.forceFlush();
