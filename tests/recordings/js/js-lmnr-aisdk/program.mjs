// Laminar's SDK for TypeScript around Vercel's AI SDK 6, whose telemetry it takes in with `getTracer()`: the session
// from `observe`, set late, or from the AI SDK's metadata; text plain and streamed, tools, an object, an embedding, a
// failure.

import { createOpenAI } from "@ai-sdk/openai";
import { getTracer, Laminar, observe } from "@lmnr-ai/lmnr";
import { embed, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import { Turns } from "../turns.mjs";

const turns = new Turns();
const { hostname, port } = new URL(process.env.RECORDING_OTLP);
Laminar.initialize({
  projectApiKey: "stand-in",
  baseUrl: `http://${hostname}`,
  httpPort: Number(port),
  forceHttp: true,
  logLevel: "error",
});

const openai = createOpenAI();
const model = openai.chat("gpt-4o-mini");
const tools = {
  getWeather: tool({
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `${city} 20C`,
  }),
};

const common = { model, maxRetries: 0, experimental_telemetry: { isEnabled: true, tracer: getTracer() } };
const ned = { session: "js-lmnr-aisdk-1", user: "ned", tags: ["beta", "web"] };
const oda = { session: "js-lmnr-aisdk-2", user: "oda" };

/** One turn as an observed function; with `options` of `observe`, by default its session and user. */
function turn(given, body, options = { sessionId: given.session, userId: given.user, tags: given.tags }) {
  return turns.turn(given, async (told) => {
    await observe({ name: "turn", ...options }, async (said) => {
      told.trace_id = Laminar.getTraceId().replaceAll("-", "");
      told.answer = (await body(said, told)) ?? "";
      return told.answer;
    }, given.said);
  });
}

await turn({ ...ned, said: "Hello, who are you?" }, async (prompt) => {
  return (await generateText({ ...common, prompt, system: "Be brief." })).text;
});

await turn({ ...ned, said: "What is the weather in Berlin?" }, async (prompt) =>
  streamText({ ...common, prompt, tools, stopWhen: stepCountIs(3) }).text,
);

await turn({ ...ned, said: "Embed this" }, async (value) => {
  await embed({ ...common, model: openai.embedding("text-embedding-3-small"), value });
});

// The session becomes known after the first call.
await turn(
  { ...oda, said: "And who am I?" },
  async (prompt) => {
    await generateText({ ...common, prompt });
    Laminar.setTraceSessionId(oda.session);
    Laminar.setTraceUserId(oda.user);
    return streamText({ ...common, prompt: "Say it again" }).text;
  },
  {},
);

await turn({ ...oda, said: "please fail now", fails: true }, async (prompt) => {
  return (await generateText({ ...common, prompt })).text;
});

// The session stands in the AI SDK's metadata only.
await turn(
  { ...oda, said: "From the metadata" },
  async (prompt) => {
    const experimental_telemetry = {
      ...common.experimental_telemetry,
      metadata: { sessionId: oda.session, userId: oda.user },
    };
    return (await generateText({ ...common, prompt, experimental_telemetry })).text;
  },
  {},
);

await Laminar.shutdown();
