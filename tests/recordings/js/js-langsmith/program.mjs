// LangSmith for JavaScript exporting by OpenTelemetry: threads by `session_id`, `thread_id` or `conversation_id` in the
// metadata, tags, the wrappers of OpenAI's, Anthropic's and Gemini's clients, a tool, streams, a failed call, and runs
// inside a span of the program that LangSmith's processor does not export.

import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { api, node } from "@opentelemetry/sdk-node";
import { LangSmithOTLPTraceExporter } from "langsmith/experimental/otel/exporter";
import { LangSmithOTLPSpanProcessor } from "langsmith/experimental/otel/processor";
import { initializeOTEL } from "langsmith/experimental/otel/setup";
import { traceable } from "langsmith/traceable";
import { wrapOpenAI } from "langsmith/wrappers";
import { wrapAnthropic } from "langsmith/wrappers/anthropic";
import { wrapGemini } from "langsmith/wrappers/gemini";
import OpenAI from "openai";

import { Turns } from "../turns.mjs";

Object.assign(process.env, {
  LANGSMITH_TRACING: "true",
  LANGSMITH_OTEL_ENABLED: "true",
  LANGSMITH_API_KEY: "stand-in",
  LANGSMITH_ENDPOINT: process.env.RECORDING_OTLP,
});

const turns = new Turns(["cache_read_tokens", "cache_write_tokens", "reasoning_tokens"]);
const exporter = new LangSmithOTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const provider = new node.NodeTracerProvider({
  spanProcessors: [turns.watcher, new LangSmithOTLPSpanProcessor(exporter)],
});
provider.register();
initializeOTEL({ globalTracerProvider: provider, skipGlobalContextManagerSetup: true });

const openai = wrapOpenAI(new OpenAI({ maxRetries: 0 }));
const anthropic = wrapAnthropic(new Anthropic({ maxRetries: 0 }));
const gemini = wrapGemini(new GoogleGenAI({ apiKey: "stand-in" }));
const gpt = "gpt-4o-mini";
const claude = { model: "claude-sonnet-4-5", max_tokens: 1_000 };

const user = (content) => ({ role: "user", content });

/** One turn: a run `name` with the metadata and the tags given. */
function turn({ name, metadata, ...given }, body) {
  return turns.turn(given, async (told) => {
    // Of Claude's answers LangSmith tells no thinking tokens (0.12.0, lib/wrappers/anthropic).
    if (name === "ask claude") told.details = ["cache_read_tokens", "cache_write_tokens"];
    told.trace_id = api.trace.getActiveSpan()?.spanContext().traceId;
    const run = traceable(body, { name, metadata, tags: given.tags });
    told.answer = (await run(given.said)) ?? "";
  });
}

const mia = { user: "mia", tags: ["web", "beta"], session: "js-langsmith-1" };
const mias = { session_id: mia.session, user_id: "mia", plan: "pro" };

await turn({ ...mia, name: "greet", metadata: mias, said: "Hello, who are you?" }, async (question) => {
  const messages = [{ role: "system", content: "You are brief." }, user(question)];
  const answer = await openai.chat.completions.create({ model: gpt, messages });
  return answer.choices[0].message.content;
});

const getWeather = traceable(async ({ city }) => `${city} 20C`, { name: "get_weather", run_type: "tool" });
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
await turn({ ...mia, name: "agent", metadata: mias, said: "How is the weather in Berlin?" }, async (question) => {
  const messages = [user(question)];
  const first = await openai.chat.completions.create({ model: gpt, messages, tools });
  const [call] = first.choices[0].message.tool_calls;
  const content = await getWeather(JSON.parse(call.function.arguments));
  messages.push(first.choices[0].message, { role: "tool", tool_call_id: call.id, content });
  const stream_options = { include_usage: true };
  const stream = await openai.chat.completions.create({ model: gpt, messages, tools, stream: true, stream_options });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  return text;
});

const ned = { session: "js-langsmith-2", user: "ned" };
const neds = { thread_id: ned.session, user_id: "ned" };

await turn({ ...ned, name: "ask claude", metadata: neds, said: "And you, Claude?" }, async (question) => {
  const answer = await anthropic.messages.create({ ...claude, messages: [user(question)] });
  return answer.content[0].text;
});

await turn({ ...ned, name: "ask claude", metadata: neds, said: "Stream me a poem ✨" }, async (question) => {
  const stream = await anthropic.messages.create({ ...claude, messages: [user(question)], stream: true });
  let text = "";
  for await (const event of stream) text += event.delta?.text ?? "";
  return text;
});

await turn({ ...ned, name: "ask gpt", metadata: neds, said: "Use the newer API" }, async (question) => {
  const answer = await openai.responses.create({ model: gpt, input: question });
  return answer.output_text;
});

await turn({ ...ned, name: "ask gpt", metadata: neds, said: "please fail now", fails: true }, async (question) => {
  await openai.chat.completions.create({ model: gpt, messages: [user(question)] });
});

const ole = { session: "js-langsmith-3", user: "ole" };
const oles = { conversation_id: ole.session, user_id: "ole" };

await turn({ ...ole, name: "ask gemini", metadata: oles, said: "And you, Gemini?" }, async (question) => {
  const answer = await gemini.models.generateContent({ model: "gemini-2.5-flash", contents: question });
  return answer.text;
});

// The program's span is not LangSmith's: its processor leaves it out, and what is exported has no root.
await api.trace.getTracer("shop").startActiveSpan("POST /ask", async (span) => {
  await turn({ ...ole, name: "ask gemini", metadata: oles, said: "Stream it, Gemini" }, async (question) => {
    const asked = { model: "gemini-2.5-flash", contents: [{ role: "user", parts: [{ text: question }] }] };
    let text = "";
    for await (const chunk of await gemini.models.generateContentStream(asked)) text += chunk.text ?? "";
    return text;
  });
  span.end();
});

await provider.forceFlush();
await provider.shutdown();
