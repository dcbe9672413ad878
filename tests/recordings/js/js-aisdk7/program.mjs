// Vercel's AI SDK 7 with @ai-sdk/otel, which writes OpenTelemetry's names: session and user are runtime context.

import { createOpenAI } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK, tracing } from "@opentelemetry/sdk-node";
import { embed, embedMany, generateText, registerTelemetry, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import { Turns } from "../turns.mjs";

const turns = new Turns();
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const sdk = new NodeSDK({ spanProcessors: [turns.watcher, new tracing.BatchSpanProcessor(exporter)] });
sdk.start();
registerTelemetry(new OpenTelemetry({ runtimeContext: true, usage: true }));

const openai = createOpenAI();
const model = openai.chat("gpt-4o-mini");
const tools = {
  getWeather: tool({
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `${city} 20C`,
  }),
};

const lea = { session: "js-aisdk7-1", user: "lea", tags: ["web", "beta"] };
const max = { session: "js-aisdk7-2", user: "max", tags: ["mobile"] };

function turn(given, body) {
  const common = {
    maxRetries: 0,
    runtimeContext: { sessionId: given.session, userId: given.user, tags: given.tags, tier: "gold" },
    telemetry: {
      functionId: "demo",
      includeRuntimeContext: { sessionId: true, userId: true, tags: true, tier: true },
    },
  };
  return turns.turn(given, (told) => body({ ...common, prompt: given.said }, told));
}

await turn({ ...lea, said: "Hello, who are you?" }, async (common, told) => {
  told.answer = (await generateText({ model, system: "Be brief.", ...common })).text;
});

await turn({ ...lea, said: "What is the weather in Berlin?" }, async ({ prompt, ...common }, told) => {
  const messages = [
    { role: "user", content: "Hello, who are you?" },
    { role: "assistant", content: "An assistant." },
    { role: "user", content: [{ type: "text", text: prompt }] },
  ];
  told.answer = await streamText({ model, tools, stopWhen: stepCountIs(3), messages, ...common }).text;
});

await turn({ ...lea, said: "Embed this" }, async ({ prompt, ...common }) => {
  await embed({ model: openai.embedding("text-embedding-3-small"), value: prompt, ...common });
});

await turn({ ...max, said: "Embed these" }, async ({ prompt, ...common }) => {
  const values = [prompt, "and those"];
  await embedMany({ model: openai.embedding("text-embedding-3-small"), values, ...common });
});

await turn({ ...max, said: "Stream me a poem ✨" }, async (common, told) => {
  told.answer = await streamText({ model, ...common }).text;
});

await turn({ ...max, said: "please fail now", fails: true }, async (common) => {
  await generateText({ model, ...common });
});

await turn({ ...max, said: "please fail as a stream", fails: true }, async (common) => {
  await streamText({ model, onError: () => {}, ...common }).text;
});

await sdk.shutdown();
