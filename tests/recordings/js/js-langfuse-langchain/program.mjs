// Langfuse's callback handler for LangChain.js: a LangGraph agent with a tool, a chain, streams, a call that fails;
// the session from the handler, or from LangChain's metadata.

import { HumanMessage } from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { tool } from "@langchain/core/tools";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { CallbackHandler } from "@langfuse/langchain";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { z } from "zod";

import { Turns } from "../turns.mjs";

const turns = new Turns();
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const sdk = new NodeSDK({ spanProcessors: [turns.watcher, new LangfuseSpanProcessor({ exporter })] });
sdk.start();

const model = new ChatOpenAI({ model: "gpt-4o-mini", maxRetries: 0 });
const streaming = new ChatOpenAI({ model: "gpt-4o-mini", maxRetries: 0, streaming: true });
const getWeather = tool(async ({ city }) => `${city} 20C`, {
  name: "get_weather",
  description: "The weather in a city",
  schema: z.object({ city: z.string() }),
});
const agent = createReactAgent({ llm: model, tools: [getWeather] });
const prompt = ChatPromptTemplate.fromMessages([
  ["system", "You are brief."],
  ["human", "{question}"],
]);

const pia = { session: "js-langfuse-lc-1", user: "pia", tags: ["graph", "web"] };
const quin = { session: "js-langfuse-lc-2", user: "quin" };

/** One turn with a handler that knows session, user and tags. */
function turn(given, body) {
  const handler = new CallbackHandler({ sessionId: given.session, userId: given.user, tags: given.tags });
  return turns.turn(given, async (told) => {
    told.answer = await body(given.said, { callbacks: [handler] });
  });
}

// The handler tells session and user where a chain begins: a model called on its own has none.
await turn({ ...pia, said: "Hello, who are you?" }, async (said, config) => {
  return (await prompt.pipe(model).invoke({ question: said }, config)).content;
});

await turn({ ...pia, said: "How is the weather in Berlin?" }, async (said, config) => {
  const state = await agent.invoke({ messages: [new HumanMessage(said)] }, config);
  return state.messages.at(-1).content;
});

await turn({ ...pia, said: "Through a chain" }, (said, config) =>
  prompt.pipe(model).pipe(new StringOutputParser()).invoke({ question: said }, config),
);

// The session stands in LangChain's metadata, and the answer is streamed.
await turns.turn({ ...quin, said: "Stream me a poem ✨" }, async (told) => {
  const metadata = { langfuseSessionId: quin.session, langfuseUserId: quin.user };
  const chain = prompt.pipe(streaming).pipe(new StringOutputParser());
  const stream = await chain.stream(
    { question: "Stream me a poem ✨" },
    { callbacks: [new CallbackHandler()], metadata },
  );
  for await (const piece of stream) told.answer += piece;
});

await turn({ ...quin, said: "please fail now", fails: true }, async (said, config) => {
  return prompt.pipe(model).pipe(new StringOutputParser()).invoke({ question: said }, config);
});

await sdk.shutdown();
