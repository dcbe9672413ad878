// OpenInference's instrumentation of LangChain.js: a LangGraph agent with a tool, a chain, streams, a call that
// fails; the session from the context, or from LangChain's metadata.

import { setSession, setTags, setUser } from "@arizeai/openinference-core";
import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import * as CallbackManagerModule from "@langchain/core/callbacks/manager";
import { HumanMessage, SystemMessage } from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { tool } from "@langchain/core/tools";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { api, NodeSDK, tracing } from "@opentelemetry/sdk-node";
import { z } from "zod";

import { Turns } from "../turns.mjs";

// LangChain.js calls handlers from a queue of its own by default, where the context is another turn's.
process.env.LANGCHAIN_CALLBACKS_BACKGROUND = "false";

const turns = new Turns();
const exporter = new OTLPTraceExporter({ url: `${process.env.RECORDING_OTLP}/v1/traces` });
const sdk = new NodeSDK({ spanProcessors: [turns.watcher, new tracing.BatchSpanProcessor(exporter)] });
sdk.start();
new LangChainInstrumentation().manuallyInstrument(CallbackManagerModule);

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

const ray = { session: "js-lc-oi-1", user: "ray", tags: ["graph", "web"] };
const sue = { session: "js-lc-oi-2", user: "sue" };

/** One turn in a context that knows session, user and tags. */
function turn(given, body) {
  let context = setSession(api.context.active(), { sessionId: given.session });
  context = setUser(context, { userId: given.user });
  if (given.tags) context = setTags(context, given.tags);
  return turns.turn(given, (told) =>
    api.context.with(context, async () => {
      told.answer = await body(given.said);
    }),
  );
}

await turn({ ...ray, said: "Hello, who are you?" }, async (said) => {
  return (await model.invoke([new SystemMessage("You are brief."), new HumanMessage(said)])).content;
});

await turn({ ...ray, said: "How is the weather in Berlin?" }, async (said) => {
  const state = await agent.invoke({ messages: [new HumanMessage(said)] });
  return state.messages.at(-1).content;
});

await turn({ ...ray, said: "Through a chain" }, (said) =>
  prompt.pipe(model).pipe(new StringOutputParser()).invoke({ question: said }),
);

await turn({ ...sue, said: "Stream me a poem ✨" }, async (said) => {
  let text = "";
  const stream = await prompt.pipe(streaming).pipe(new StringOutputParser()).stream({ question: said });
  for await (const piece of stream) text += piece;
  return text;
});

await turn({ ...sue, said: "please fail now", fails: true }, (said) =>
  prompt.pipe(model).pipe(new StringOutputParser()).invoke({ question: said }),
);

// The instrumentation takes a session from LangChain's metadata, too; there is no place for a user.
await turns.turn({ session: "js-lc-oi-3", said: "From the metadata" }, async (told) => {
  const metadata = { session_id: "js-lc-oi-3" };
  told.answer = (await model.invoke([new HumanMessage("From the metadata")], { metadata })).content;
});

await sdk.shutdown();
