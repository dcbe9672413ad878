// Anthropic's SDK for JavaScript under OpenInference's instrumentation, which stands beside the spans that the SDK
// writes itself, as soon as a tracer provider is registered: each call is told twice. Session, user and tags come from
// OpenInference's context, so that only its spans know them; the SDK's own have no texts, as is their default.

import Anthropic from "@anthropic-ai/sdk";
import { setSession, setTags, setUser, traceAgent, traceTool } from "@arizeai/openinference-core";
import { AnthropicInstrumentation } from "@arizeai/openinference-instrumentation-anthropic";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { api, NodeSDK, tracing } from "@opentelemetry/sdk-node";

import { Turns } from "../turns.mjs";

const turns = new Turns(["cache_read_tokens", "cache_write_tokens", "reasoning_tokens"]);
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const sdk = new NodeSDK({ spanProcessors: [turns.watcher, new tracing.BatchSpanProcessor(exporter)] });
sdk.start();
new AnthropicInstrumentation().manuallyInstrument(Anthropic);

const client = new Anthropic({ maxRetries: 0 });
const common = { model: "claude-sonnet-4-5", max_tokens: 1_000 };
const tools = [
  {
    name: "get_weather",
    description: "The weather in a city",
    input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];
const getWeather = traceTool(async ({ city }) => `${city} 20C`, { name: "get_weather" });

const kim = { session: "js-anthropic-oi-1", user: "kim", tags: ["cached", "beta"] };
const lou = { session: "js-anthropic-oi-2", user: "lou" };

function turn(given, body) {
  return turns.turn(given, (told) => {
    let context = setSession(api.context.active(), { sessionId: given.session });
    context = setUser(context, { userId: given.user });
    if (given.tags) context = setTags(context, given.tags);
    return api.context.with(context, async () => {
      told.answer = await body(given.said, told);
    });
  });
}

const user = (content) => ({ role: "user", content });
const textOf = (message) => message.content.map((block) => block.text ?? "").join("");

const history = [];
await turn({ ...kim, said: "Hello, who are you?" }, async (said) => {
  history.push(user([{ type: "text", text: said, cache_control: { type: "ephemeral" } }]));
  const answer = await client.messages.create({ ...common, system: "You are brief.", messages: history });
  history.push({ role: "assistant", content: answer.content });
  return textOf(answer);
});

const agent = traceAgent(
  async (question) => {
    history.push(user(question));
    const asked = { ...common, system: "You are brief.", messages: history, tools };
    const first = await client.messages.create(asked);
    const use = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result", tool_use_id: use.id, content: await getWeather(use.input) };
    history.push({ role: "assistant", content: first.content }, user([result]));
    const second = await client.messages.create(asked);
    history.push({ role: "assistant", content: second.content });
    return textOf(second);
  },
  { name: "weather agent" },
);
await turn({ ...kim, said: "How is the weather in Berlin?" }, agent);

await turn({ ...lou, said: "Stream me a poem ✨" }, async (said) => {
  const stream = await client.messages.create({ ...common, messages: [user(said)], stream: true });
  let text = "";
  for await (const event of stream) if (event.type === "content_block_delta") text += event.delta.text;
  return text;
});

// The helper's call is told by two spans that are siblings: without one around them, they are two traces.
const poet = traceAgent(
  async (said) => client.messages.stream({ ...common, messages: [user(said)] }).finalText(),
  { name: "poet" },
);
await turn({ ...lou, said: "Stream it with the helper" }, poet);

await turn({ ...lou, said: "please fail now", fails: true }, async (said) => {
  return textOf(await client.messages.create({ ...common, messages: [user(said)] }));
});

await sdk.shutdown();
