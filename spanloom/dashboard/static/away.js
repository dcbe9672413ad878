// A page that could not be made because ClickHouse is away asks for itself again until it can.
const EVERY = 5000; // ms

export function retryWhileAway(section) {
  if (!section) return;
  const retry = async () => {
    const answer = document.hidden ? null
      : await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (answer && answer.status !== 503) location.reload();
    else setTimeout(retry, EVERY);
  };
  setTimeout(retry, EVERY);
}
