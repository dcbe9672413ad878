// OpenInference's OpenAI instrumentation for JavaScript: session, user, tags and metadata from the context, an
// agent and a tool traced by hand, streams with and without usage, an embedding, the Responses API, a failing tool.
// Of streamed chats and of embeddings this instrumentation writes no usage (4.2.7, instrumentation.ts).

import {
  setMetadata,
  setSession,
  setTags,
  setUser,
  traceAgent,
  traceTool,
} from "@arizeai/openinference-core";
import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { api, NodeSDK, tracing } from "@opentelemetry/sdk-node";
import OpenAI from "openai";

import { Turns } from "../turns.mjs";

const turns = new Turns();
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const sdk = new NodeSDK({ spanProcessors: [turns.watcher, new tracing.BatchSpanProcessor(exporter)] });
sdk.start();
const instrumentation = new OpenAIInstrumentation();
instrumentation.manuallyInstrument(OpenAI);

const openai = new OpenAI({ maxRetries: 0 });
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
const getWeather = traceTool(async ({ city }) => ({ city, celsius: 20 }), { name: "get_weather" });

const gil = { session: "js-oi-1", user: "gil", tags: ["web", "beta"], metadata: { plan: "pro" } };
const hal = { session: "js-oi-2", user: "hal" };

function turn({ metadata, ...given }, body) {
  return turns.turn(given, (told) => {
    let context = setSession(api.context.active(), { sessionId: given.session });
    context = setUser(context, { userId: given.user });
    if (given.tags) context = setTags(context, given.tags);
    if (metadata) context = setMetadata(context, metadata);
    return api.context.with(context, async () => {
      told.answer = (await body(given.said, told)) ?? "";
    });
  });
}

const user = (content) => [{ role: "user", content }];

async function streamed(parameters) {
  const stream = await openai.chat.completions.create({ model, stream: true, ...parameters });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  return text;
}

await turn({ ...gil, said: "Hello, who are you?" }, async (said) => {
  const messages = [{ role: "system", content: "You are brief." }, ...user(said)];
  const answer = await openai.chat.completions.create({ model, messages });
  return answer.choices[0].message.content;
});

const agent = traceAgent(
  async (question) => {
    const messages = [
      ...user("Hello, who are you?"),
      { role: "assistant", content: "An assistant." },
      ...user([
        { type: "text", text: question },
        { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
      ]),
    ];
    const first = await openai.chat.completions.create({ model, messages, tools });
    const message = first.choices[0].message;
    const [call] = message.tool_calls;
    const result = await getWeather(JSON.parse(call.function.arguments));
    messages.push(message, { role: "tool", tool_call_id: call.id, content: JSON.stringify(result) });
    const stream_options = { include_usage: true };
    return streamed({ messages, tools, stream_options });
  },
  { name: "weather agent" },
);
// A picture stands for itself in the text of a message.
const shown = "How is the weather in Berlin?\n[image: image/png]";
await turn({ ...gil, said: shown }, (_, told) => {
  told.unread = 1;
  return agent("How is the weather in Berlin?");
});

await turn({ ...gil, said: "Embed this" }, async (said, told) => {
  told.unread = 1;
  await openai.embeddings.create({ model: "text-embedding-3-small", input: said });
});

await turn({ ...hal, said: "Stream me a poem ✨" }, (said, told) => {
  told.unread = 1;
  return streamed({ messages: user(said), stream_options: { include_usage: true } });
});

await turn({ ...hal, said: "And one without usage" }, (said) => streamed({ messages: user(said) }));

// The instrumentation never ends the span of a call that the server refuses (it watches for errors thrown at once
// only), so it exports nothing of it. What is left to fail is a tool.
const failing = traceAgent(
  async (question) => {
    const first = await openai.chat.completions.create({ model, messages: user(question), tools });
    const broken = traceTool(
      async ({ city }) => {
        throw new Error(`No station in ${city}`);
      },
      { name: "get_weather" },
    );
    return broken(JSON.parse(first.choices[0].message.tool_calls[0].function.arguments));
  },
  { name: "weather agent" },
);
await turn({ ...hal, said: "The weather, but the tool fails", fails: true }, failing);

await turn({ ...hal, said: "Use the newer API" }, async (said) => {
  const answer = await openai.responses.create({ model, input: said });
  return answer.output_text;
});

await turn({ ...hal, said: "Use it streamed" }, async (said) => {
  const stream = await openai.responses.create({ model, input: user(said), stream: true });
  let text = "";
  for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
  return text;
});

await sdk.shutdown();
