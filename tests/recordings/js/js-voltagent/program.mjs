// VoltAgent: an agent with memory, whose conversations and users are options of each call; a tool, streams,
// the Responses API, a failed call. VoltAgent writes names of its own; its span of a call covers all steps of it.

import { openai } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { tracing } from "@opentelemetry/sdk-node";
import { Agent, createTool, InMemoryStorageAdapter, Memory, VoltAgentObservability } from "@voltagent/core";
import { z } from "zod";

import { Turns } from "../turns.mjs";

const turns = new Turns(["cache_read_tokens", "reasoning_tokens"]);
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const observability = new VoltAgentObservability({
  serviceName: process.env.OTEL_SERVICE_NAME,
  spanProcessors: [turns.watcher, new tracing.BatchSpanProcessor(exporter)],
});

const model = openai.chat("gpt-4o-mini");
const getWeather = createTool({
  name: "get_weather",
  description: "The weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `${city} 20C`,
});
const common = { model, observability, maxRetries: 0 };
const concierge = new Agent({
  ...common,
  name: "concierge",
  instructions: "You are brief.",
  tools: [getWeather],
  memory: new Memory({ storage: new InMemoryStorageAdapter() }),
});

const wim = { session: "js-voltagent-1", user: "wim" };
const xia = { session: "js-voltagent-2", user: "xia" };

function turn({ steps = 1, ...given }, body) {
  const options = { conversationId: given.session, userId: given.user };
  return turns.turn(given, async (told) => {
    told.answer = await body(given.said, options);
    told.calls_are_told = steps === 1;
  });
}

const generated = async (said, options) => (await concierge.generateText(said, options)).text;

async function streamed(said, options) {
  const { textStream } = await concierge.streamText(said, options);
  let text = "";
  for await (const piece of textStream) text += piece;
  return text;
}

await turn({ ...wim, said: "Hello, who are you?" }, generated);
// What needs several steps is one span of a call; of `generateText` it has the usage of the last step alone.
await turn({ ...wim, steps: 2, said: "How is the weather in Berlin?" }, generated);
await turn({ ...wim, said: "Stream me a poem ✨" }, streamed);
await turn({ ...xia, said: "Is it you again?" }, generated);
await turn({ ...xia, steps: 2, said: "Stream the weather in Rome" }, streamed);

const scholar = new Agent({ ...common, name: "scholar", instructions: "Cite.", model: openai("gpt-4o-mini") });
await turn({ ...xia, said: "Use the newer API" }, async (said, options) => {
  return (await scholar.generateText(said, options)).text;
});

await turn({ ...xia, said: "please fail now", fails: true }, generated);

await observability.forceFlush();
await observability.shutdown();
process.exit(0);
