// Puts times and numbers into the browser's language and time zone. The server writes <time datetime data-as> and
// <data value data-as>; templates/macros.html has them all.

// The reader's languages, without those that are none to `Intl`, which would refuse them all: `en-US@posix` stands there
// where a system's locale is POSIX. Without any it is the browser's own.
const language = navigator.languages.filter((tag) => {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
});
const whole = new Intl.NumberFormat(language);
const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const fraction = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "narrow" });
const date = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const dateWithZone = new Intl.DateTimeFormat(language, {
  year: "numeric", month: "short", day: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, timeZoneName: "short",
});

const days = new Intl.DateTimeFormat(language, { month: "short", day: "numeric" });
const clocks = [["hour", 60], ["second", 1], ["millisecond", 0]].map(([unit, least]) => [least, new Intl.DateTimeFormat(language, {
  hour: "2-digit", minute: "2-digit", ...(unit === "hour" ? {} : { second: "2-digit" }),
  ...(unit === "millisecond" ? { fractionalSecondDigits: 3 } : {}),
})]);

export const count = (number) => whole.format(number);
export const short = (number) => (number < 10000 ? whole.format(number) : compact.format(number));

export function usd(amount) {
  if (amount > 0 && amount < 0.000001) return `<${usd(0.000001)}`;
  const digits = amount === 0 ? { maximumFractionDigits: 0 }
    : amount >= 1 ? { minimumFractionDigits: 2, maximumFractionDigits: 2 }
    : { maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(language, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", ...digits })
    .format(amount);
}

export function seconds(duration) {
  if (duration < 1) return `${whole.format(Math.round(duration * 1000))} ms`;
  if (duration < 60) return `${fraction.format(duration)} s`;
  const all = Math.round(duration);
  for (const [unit, length, smaller, part] of [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]]) {
    if (all < length) continue;
    const rest = Math.floor((all % length) / part);
    return `${whole.format(Math.floor(all / length))} ${unit}${rest ? ` ${rest} ${smaller}` : ""}`;
  }
}

export const exact = (time) => dateWithZone.format(time);
export const day = (time) => days.format(time);

// The time of day, as fine as steps of so many seconds need it.
export const clock = (time, step) => clocks.find(([least]) => step >= least)[1].format(time);
export const plain = (time) => date.format(time);

const NOW = 5; // s around now that count as now
const AHEAD = "ahead of the clock here"; // as wording.py puts it
const away = (time) => (time - Date.now()) / 1000; // s; below 0 in the past

export function ago(time) {
  const distance = Math.abs(away(time));
  if (distance < NOW) return relative.format(0, "second");
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]) {
    if (distance >= length) return relative.format(Math.sign(away(time)) * Math.floor(distance / length), unit);
  }
}

const writers = {
  ago: (element) => {
    const time = new Date(element.dateTime);
    const ahead = away(time) >= NOW;
    element.classList.toggle("ahead", ahead);
    element.title = ahead ? `${exact(time)}, ${AHEAD}` : exact(time);
    return ago(time);
  },
  after: (element) => {
    const time = new Date(element.dateTime);
    element.title = exact(time);
    return `+${seconds(Math.max(0, (time - new Date(element.dataset.start)) / 1000))}`;
  },
  exact: (element) => exact(new Date(element.dateTime)),
  plain: (element) => plain(new Date(element.dateTime)),
  count: (element) => count(Number(element.value)),
  short: (element) => short(Number(element.value)),
  usd: cost,
  tokens: (element) => {
    const { dataset } = element;
    const [into, out, unsplit] = [Number(dataset.in), Number(dataset.out), Number(dataset.unsplit)];
    const all = into + out + unsplit;
    element.title = `${count(into)} in, ${count(out)} out, ${count(all)} in all`
      + (unsplit ? `; of ${count(unsplit)} only the number is known` : "");
    return all && unsplit === all ? short(all) : `${short(into)} → ${short(out)} (${short(all)})`;
  },
  seconds: (element) => {
    const { active } = element.dataset;
    if (active !== undefined) element.title = `active ${seconds(Number(active))}`;
    return seconds(Number(element.value));
  },
};

const UNKNOWN = "no price for the model, or no usage told (the trace says which)"; // as wording.py puts it

// An amount; where data-input is there, with its parts on hover, and `≥` or `?` where calls had no known price.
function cost(element) {
  const { input, output, unpriced } = element.dataset;
  const total = Number(element.value);
  if (input === undefined) return usd(total);
  const missing = Number(unpriced);
  element.title = `input ${usd(Number(input))}, output ${usd(Number(output))}`
    + (missing ? `; ${count(missing)} ${missing === 1 ? "call" : "calls"} of unknown cost: ${UNKNOWN}` : "");
  if (!missing) return usd(total);
  return total ? `≥ ${usd(total)}` : "?";
}

// Writes into everything under `root` that has data-as, or only what has one kind.
export function localise(root, kind = "") {
  for (const element of root.querySelectorAll(kind ? `[data-as="${kind}"]` : "[data-as]")) {
    const text = writers[element.dataset.as]?.(element);
    if (text !== undefined && element.textContent !== text) element.textContent = text;
  }
}
