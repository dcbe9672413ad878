// What there is to filter by, offered while typing; asked for when somebody is about to.
export function facets(form) {
  if (!form) return;
  const asked = () => {
    form.removeEventListener("focusin", asked);
    offer(form).catch(() => form.addEventListener("focusin", asked)); // next time, then
  };
  form.addEventListener("focusin", asked);
}

async function offer(form) {
  const parameters = new URLSearchParams({ kind: location.pathname.slice(1) });
  const project = new URLSearchParams(location.search).get("project");
  if (project) parameters.set("project", project);
  for (const [name, value] of Object.entries(form.dataset)) {
    if (name === "from" || name === "to") parameters.set(name, value);
  }
  const answer = await fetch(`/api/facets?${parameters}`);
  if (!answer.ok) throw new Error(answer.status);
  const values = await answer.json();
  for (const kind of ["users", "tags", "models", "services"]) {
    const options = values[kind].map(({ value }) => Object.assign(document.createElement("option"), { value }));
    document.getElementById(`values-${kind}`).replaceChildren(...options);
  }
}
