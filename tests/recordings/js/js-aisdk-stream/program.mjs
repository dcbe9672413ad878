// Vercel's AI SDK 6 with `experimental_telemetry`: streamed text with a tool, a stream that breaks off, objects
// plain and streamed, embeddings, a retry, failures.

import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK, tracing } from "@opentelemetry/sdk-node";
import {
  embed,
  embedMany,
  extractJsonMiddleware,
  generateObject,
  generateText,
  stepCountIs,
  streamObject,
  streamText,
  tool,
  wrapLanguageModel,
} from "ai";
import { z } from "zod";

import { Turns } from "../turns.mjs";

const turns = new Turns();
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const sdk = new NodeSDK({ spanProcessors: [turns.watcher, new tracing.BatchSpanProcessor(exporter)] });
sdk.start();

/** Whether the server tells of an error in the middle of the next stream, as OpenAI's does. */
let breaksOff = false;
const serverError = { message: "The server had an error.", type: "server_error", param: null, code: null };
const openai = createOpenAI({
  fetch: async (url, options) => {
    const response = await fetch(url, options);
    if (!breaksOff) return response;
    breaksOff = false;
    const events = (await response.text()).split("\n\n").slice(0, 4);
    events.push(`data: ${JSON.stringify({ error: serverError })}`, "data: [DONE]", "");
    return new Response(events.join("\n\n"), { status: response.status, headers: response.headers });
  },
});
const model = openai.chat("gpt-4o-mini");
// The stand-in answers in prose; the SDK's own middleware makes an object of it.
const objects = wrapLanguageModel({
  model,
  middleware: extractJsonMiddleware({ transform: (text) => JSON.stringify({ found: text }) }),
});
const schema = z.object({ found: z.string() });
const tools = {
  getWeather: tool({
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `${city} 20C`,
  }),
};

const eve = { session: "js-aisdk-1", user: "eve", tags: ["web", "stream"] };
const fay = { session: "js-aisdk-2", user: "fay", tags: ["stream"] };

/** The settings of all calls of a turn. */
function settings(given) {
  const metadata = { sessionId: given.session, userId: given.user, tags: given.tags, tier: "gold" };
  return { maxRetries: 0, experimental_telemetry: { isEnabled: true, functionId: "demo", metadata } };
}

function turn(given, body) {
  return turns.turn(given, (told) => body({ ...settings(given), prompt: given.said }, told));
}

await turn({ ...eve, said: "Stream me a greeting" }, async (common, told) => {
  told.answer = await streamText({ model, ...common }).text;
});

await turn({ ...eve, said: "What is the weather in Berlin?" }, async (common, told) => {
  const { prompt, ...rest } = common;
  const messages = [
    { role: "user", content: "Stream me a greeting" },
    { role: "assistant", content: "Hello!" },
    { role: "user", content: [{ type: "text", text: prompt }] },
  ];
  const result = streamText({ model, tools, stopWhen: stepCountIs(3), system: "Be brief.", messages, ...rest });
  told.answer = await result.text;
});

await turn({ ...eve, said: "An object, please" }, async (common, told) => {
  const { object } = await generateObject({ model: objects, schema, ...common });
  told.answer = JSON.stringify(object);
});

await turn({ ...eve, said: "The same, streamed" }, async (common, told) => {
  const result = streamObject({ model: objects, schema, ...common });
  for await (const part of result.partialObjectStream) void part;
  told.answer = JSON.stringify(await result.object);
});

await turn({ ...eve, said: "Embed this" }, async ({ prompt, ...common }) => {
  await embed({ model: openai.embedding("text-embedding-3-small"), value: prompt, ...common });
});

await turn({ ...fay, said: "Embed these" }, async ({ prompt, ...common }) => {
  const values = [prompt, "and those"];
  await embedMany({ model: openai.embedding("text-embedding-3-small"), values, ...common });
});

await turn({ ...fay, said: "Tell me a story that breaks off", fails: true }, async (common, told) => {
  breaksOff = true;
  told.unread = 1;
  const result = streamText({ model, onError: () => {}, ...common });
  for await (const part of result.fullStream) if (part.type === "text-delta") told.answer += part.text;
});

await turn({ ...fay, said: "please fail at once", fails: true }, async (common) => {
  const result = streamText({ model, onError: () => {}, ...common });
  await result.text;
});

await turn({ ...fay, said: "fail once, then work", fails: true }, async (common, told) => {
  const { text } = await generateText({ model, ...common, maxRetries: 1 });
  told.answer = text;
});

await turn({ ...fay, said: "please fail with an object", fails: true }, async (common) => {
  await generateObject({ model: objects, schema, ...common });
});

// A stream that is aborted, or whose connection is lost, is missing: AI SDK 6 never ends the spans of one, so it
// exports nothing of it.

await sdk.shutdown();
