// The form of a custom range, in the browser's time zone; the address always holds UTC.
export function customRange(details) {
  if (!details) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const element of details.querySelectorAll("[data-zone]")) element.textContent = zone;
  const inputs = [...details.querySelectorAll("input[type=datetime-local]")];
  for (const input of inputs) if (input.value) input.value = local(new Date(`${input.value}Z`));
  details.querySelector("form").addEventListener("formdata", (event) => {
    for (const input of inputs) {
      if (input.value) event.formData.set(input.name, new Date(input.value).toISOString());
    }
  });
}

function local(time) {
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60000);
  return shifted.toISOString().slice(0, 19);
}
