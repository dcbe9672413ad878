// OpenAI's Agents SDK for JavaScript under OpenInference, which turns the SDK's own tracing into OpenTelemetry: the
// Responses API and chat, streams, a tool, a handoff, the SDK's memory of a conversation, a guardrail, a failed call.
// Session, user and tags come from OpenInference's context: of the SDK's `groupId` it writes nothing (0.2.15).

import * as agents from "@openai/agents";
import { setSession, setTags, setUser } from "@arizeai/openinference-core";
import { OpenAIAgentsInstrumentation } from "@arizeai/openinference-instrumentation-openai-agents";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { api, node, tracing } from "@opentelemetry/sdk-node";
import { z } from "zod";

import { Turns } from "../turns.mjs";

const turns = new Turns(["cache_read_tokens", "reasoning_tokens"]);
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const provider = new node.NodeTracerProvider({
  spanProcessors: [turns.watcher, new tracing.BatchSpanProcessor(exporter)],
});
provider.register();
new OpenAIAgentsInstrumentation({ tracerProvider: provider }).manuallyInstrument(agents);
// Under Node.js the SDK traces nothing when NODE_ENV is "test", and nothing without being told in other runtimes.
agents.setTracingDisabled(false);

const { Agent, MemorySession, run, tool } = agents;
const model = "gpt-4o-mini";
const getWeather = tool({
  name: "get_weather",
  description: "The weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `${city} 20C`,
});
const refunds = new Agent({ name: "refunds", instructions: "Give refunds.", model });
const polite = {
  name: "polite",
  runInParallel: false,
  execute: async () => ({ outputInfo: "polite", tripwireTriggered: false }),
};
const concierge = new Agent({
  name: "concierge",
  instructions: "Answer briefly.",
  model,
  tools: [getWeather],
  handoffs: [refunds],
  inputGuardrails: [polite],
});

const pam = { session: "js-openai-agents-1", user: "pam", tags: ["web", "beta"] };
const rob = { session: "js-openai-agents-2", user: "rob" };

function turn(given, body) {
  return turns.turn(given, (told) => {
    let context = setSession(api.context.active(), { sessionId: given.session });
    context = setUser(context, { userId: given.user });
    if (given.tags) context = setTags(context, given.tags);
    return api.context.with(context, async () => {
      told.answer = await body(given.said);
    });
  });
}

async function streamed(agent, said, session) {
  const result = await run(agent, said, { stream: true, session });
  let text = "";
  for await (const piece of result.toTextStream()) text += piece;
  await result.completed;
  return text;
}

const memory = new MemorySession();
await turn({ ...pam, said: "Hello, who are you?" }, async (said) => {
  return (await run(concierge, said, { session: memory })).finalOutput;
});
await turn({ ...pam, said: "How is the weather in Berlin?" }, async (said) => {
  return (await run(concierge, said, { session: memory })).finalOutput;
});
await turn({ ...pam, said: "Give me my refunds" }, async (said) => {
  return (await run(concierge, said, { session: memory })).finalOutput;
});
await turn({ ...pam, said: "Stream me a poem ✨" }, (said) => streamed(concierge, said, memory));

// One workflow of two runs, whose second one asks about the answer of the first.
await turn({ ...rob, said: "Draft a letter" }, (said) =>
  agents.withTrace("two runs", async () => {
    const first = await run(refunds, said);
    const second = await run(refunds, [...first.history, agents.user(said)]);
    return second.finalOutput;
  }),
);

agents.setOpenAIAPI("chat_completions");
const memory2 = new MemorySession();
await turn({ ...rob, said: "Use the older API" }, async (said) => {
  return (await run(concierge, said, { session: memory2 })).finalOutput;
});
await turn({ ...rob, said: "And the weather in Rome?" }, async (said) => {
  return (await run(concierge, said, { session: memory2 })).finalOutput;
});
await turn({ ...rob, said: "Stream the older one" }, (said) => streamed(concierge, said, memory2));
await turn({ ...rob, said: "please fail now", fails: true }, async (said) => {
  return (await run(concierge, said)).finalOutput;
});

await provider.forceFlush();
await provider.shutdown();
