// OpenLLMetry's SDK for JavaScript: workflows with association properties, a tool, a task, a stream, the Responses
// API, and a conversation.
//
// Nothing fails here: the SDK never ends the spans of a call or a workflow that fails, so it exports nothing of them
// (instrumentation-openai 0.27.0, `_wrapPromise`; node-server-sdk 0.27.0, `withEntity`).

import * as traceloop from "@traceloop/node-server-sdk";
import OpenAI from "openai";

import { Turns } from "../turns.mjs";

// By default the SDK writes an estimate of its own as the usage of a stream, and never what the server told.
process.env.TRACELOOP_ENRICH_TOKENS = "false";

const turns = new Turns();
traceloop.initialize({
  appName: process.env.OTEL_SERVICE_NAME,
  baseUrl: process.env.RECORDING_OTLP,
  apiKey: "stand-in",
  instrumentModules: { openAI: OpenAI },
  processor: turns.watcher,
  traceloopSyncEnabled: false,
  silenceInitializationMessage: true,
});

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
const user = (content) => [{ role: "user", content }];

/** One turn as a workflow; session and user are association properties. */
function turn({ properties = {}, ...given }, body) {
  const associationProperties = { session_id: given.session, user_id: given.user, ...properties };
  return turns.turn(given, (told) =>
    traceloop.withAssociationProperties(associationProperties, () =>
      traceloop.withWorkflow({ name: "chat" }, async () => {
        told.answer = await body(given.said, told);
        return told.answer;
      }),
    ),
  );
}

async function streamed(parameters) {
  const stream = await openai.chat.completions.create({ model, stream: true, ...parameters });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  return text;
}

const ivy = { session: "js-traceloop-1", user: "ivy", properties: { plan: "pro" } };
const jan = { session: "js-traceloop-2", user: "jan" };

await turn({ ...ivy, said: "Hello, who are you?" }, async (said) => {
  const messages = [{ role: "system", content: "You are brief." }, ...user(said)];
  const answer = await openai.chat.completions.create({ model, messages });
  return answer.choices[0].message.content;
});

await turn({ ...ivy, said: "How is the weather in Berlin?" }, async (said) => {
  const messages = [...user("Hello!"), { role: "assistant", content: "Hi." }, ...user([{ type: "text", text: said }])];
  const first = await openai.chat.completions.create({ model, messages, tools });
  const message = first.choices[0].message;
  const [call] = message.tool_calls;
  const { city } = JSON.parse(call.function.arguments);
  const result = await traceloop.withTool({ name: "get_weather" }, async (place) => `${place} 20C`, city);
  messages.push(message, { role: "tool", tool_call_id: call.id, content: result });
  const second = await openai.chat.completions.create({ model, messages, tools });
  return second.choices[0].message.content;
});

await turn({ ...ivy, said: "Stream me a poem ✨" }, (said, told) => {
  told.unread = 1;
  return streamed({ messages: user(said), stream_options: { include_usage: true } });
});

await turn({ ...jan, said: "Use the newer API" }, async (said) => {
  const answer = await openai.responses.create({ model, input: said });
  return answer.output_text;
});

await turn({ ...jan, said: "Work in two steps" }, (said) =>
  traceloop.withTask({ name: "step" }, async () => {
    const draft = await openai.chat.completions.create({ model, messages: user(said) });
    return draft.choices[0].message.content;
  }),
);

// A conversation is a session, where nothing else names one.
const kim = { session: "js-traceloop-3", said: "Hello from a conversation" };
await turns.turn(kim, (told) =>
  traceloop.withConversation(kim.session, () =>
    traceloop.withAgent({ name: "helper" }, async () => {
      const answer = await openai.chat.completions.create({ model, messages: user(kim.said) });
      told.answer = answer.choices[0].message.content;
      return told.answer;
    }),
  ),
);

await traceloop.forceFlush();
