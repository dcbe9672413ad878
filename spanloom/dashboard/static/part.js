// Asks the server for the list alone, and reports what went wrong; an error whose `passes` is true passes by itself.
const LONGEST = 60000; // ms; no answer takes longer that still comes

export async function fetchPart(address) {
  let answer, text;
  try {
    answer = await fetch(address, { headers: { "spanloom-part": "list" }, signal: AbortSignal.timeout(LONGEST) });
    text = await answer.text();
  } catch {
    throw failure("The dashboard itself is out of reach. This page tries again by itself.", true);
  }
  if (answer.status === 401) throw failure("You are logged out. Load the page again to log in.");
  if (!answer.ok) throw failure(reason(text) ?? `The dashboard answers with status ${answer.status}.`, answer.status === 503);
  return new DOMParser().parseFromString(text, "text/html").getElementById("list");
}

const failure = (sentence, passes = false) => Object.assign(new Error(sentence), { passes });

function reason(text) {
  try {
    return JSON.parse(text).error;
  } catch {
    return undefined; // a proxy's page
  }
}
