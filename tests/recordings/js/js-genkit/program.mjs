// Genkit with Gemini: an agent whose chats are sessions, with a tool and a stream; a flow around a call, a bare call,
// a failed one. Only an agent's chat has a session (`genkit/beta`); users and tags Genkit does not know.

import { googleAI } from "@genkit-ai/google-genai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { z } from "genkit";
import { genkit, InMemorySessionStore } from "genkit/beta";
import { enableTelemetry, flushTracing } from "genkit/tracing";

import { Turns } from "../turns.mjs";

const turns = new Turns(["cache_read_tokens", "reasoning_tokens"]);
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
await enableTelemetry({ spanProcessors: [turns.watcher, new BatchSpanProcessor(exporter)] });

const ai = genkit({
  plugins: [googleAI({ apiKey: "stand-in", baseUrl: process.env.GOOGLE_GEMINI_BASE_URL })],
  model: googleAI.model("gemini-2.5-flash"),
});
const getWeather = ai.defineTool(
  {
    name: "get_weather",
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string() }),
    outputSchema: z.string(),
  },
  async ({ city }) => `${city} 20C`,
);
const concierge = ai.defineAgent({
  name: "concierge",
  model: googleAI.model("gemini-2.5-flash"),
  system: "You are brief.",
  tools: [getWeather],
  store: new InMemorySessionStore(),
});

/** One turn; `body` returns the answer. */
const turn = (session, said, body, fails = false) =>
  turns.turn({ session, said, fails }, async (told) => {
    told.answer = await body(said);
  });

async function streamed({ stream }) {
  let text = "";
  for await (const chunk of stream) text += chunk.text ?? "";
  return text;
}

const una = concierge.chat({ sessionId: "js-genkit-1" });
await turn("js-genkit-1", "Hello, who are you?", async (said) => (await una.send(said)).text);
await turn("js-genkit-1", "How is the weather in Berlin?", async (said) => (await una.send(said)).text);
await turn("js-genkit-1", "Stream me a poem ✨", (said) => streamed(una.sendStream(said)));

const vic = concierge.chat({ sessionId: "js-genkit-2" });
await turn("js-genkit-2", "Hello, are you someone else?", async (said) => (await vic.send(said)).text);

// Without an agent there is no session.
const menu = ai.defineFlow({ name: "menu", inputSchema: z.string(), outputSchema: z.string() }, async (dish) => {
  const answer = await ai.generate({ system: "You are a cook.", prompt: dish });
  return answer.text;
});
await turn("", "Invent a dish with leeks", menu);
await turn("", "Tell me of the weather in Rome", async (said) => {
  return (await ai.generate({ prompt: said, tools: [getWeather] })).text;
});
await turn("", "Stream me a recipe", (said) => streamed(ai.generateStream(said)));
await turn("", "please fail now", async (said) => (await ai.generate(said)).text, true);

await flushTracing();
