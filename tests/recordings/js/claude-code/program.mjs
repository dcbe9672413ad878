// Claude Code's own spans (beta), each turn a run in print mode. The session is the one that is given to it by
// --session-id and --resume, the user the installation's own ID. The trace is the caller's, by TRACEPARENT, whose
// span nobody exports. The model's words are on spans in the detailed form alone, which the second session asks for.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { Turns } from "../turns.mjs";

const turns = new Turns(["cache_read_tokens", "cache_write_tokens"]);
const work = join(homedir(), "project");
mkdirSync(work);
writeFileSync(join(work, "Berlin"), "20C");
const user = "c1a0de".repeat(10) + "0000";
writeFileSync(join(homedir(), ".claude.json"), JSON.stringify({ userID: user }));

const otlp = process.env.RECORDING_OTLP;
const plain = {
  CLAUDE_CODE_ENABLE_TELEMETRY: "1",
  CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: "1",
  OTEL_TRACES_EXPORTER: "otlp",
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
  OTEL_EXPORTER_OTLP_ENDPOINT: otlp,
  OTEL_LOG_USER_PROMPTS: "1",
  OTEL_LOG_TOOL_DETAILS: "1",
  OTEL_LOG_TOOL_CONTENT: "1",
};
const detailed = { ...plain, ENABLE_BETA_TRACING_DETAILED: "1", BETA_TRACING_ENDPOINT: otlp };

/** One run of the command. */
function claude(said, session, telemetry, traceId) {
  const name = "claude-sonnet-4-5-20250929";
  const once = { CLAUDE_CODE_MAX_RETRIES: "0", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", DISABLE_AUTOUPDATER: "1" };
  const parent = { TRACEPARENT: `00-${traceId}-${randomBytes(8).toString("hex")}-01` };
  const options = ["--model", name, "--system-prompt", "Be brief.", "--tools", "Read", "--output-format", "json"];
  const binary = join(process.cwd(), "node_modules", ".bin", "claude");
  const output = execFileSync(binary, ["-p", said, ...session, ...options, "--setting-sources", ""], {
    cwd: work,
    env: { ...process.env, ...telemetry, ...once, ...parent },
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  return JSON.parse(output).result;
}

/** A conversation of several runs. */
async function conversation(session, words, telemetry) {
  for (const said of words) {
    const fails = said.includes("fail");
    await turns.turn({ session, user, said, fails }, async (turn) => {
      turn.trace_id = randomBytes(16).toString("hex");
      const known = said === words[0] ? ["--session-id", session] : ["--resume", session];
      const answer = claude(said, known, telemetry, turn.trace_id);
      if (telemetry === detailed) turn.answer = answer;
    });
  }
}

await conversation(
  "5e551012-0000-4000-8000-000000000001",
  ["Hello Claude Code", "read the file of Berlin", "Grüße 🙂"],
  plain,
);
await conversation("5e551012-0000-4000-8000-000000000002", ["Hello again", "read it once more", "please fail"], detailed);
