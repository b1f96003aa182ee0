// A recording as text, for reading and for comparing by hand.
export function print(recording) {
  return recording.map(entry).join("\n");
}

function entry({ title, request, answer }) {
  const lines = [`=== ${title}`, ...request.map((line) => `> ${line}`), `< ${answer.status}`];
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const item of [value].flat()) lines.push(`< ${name}: ${text(item)}`);
  }
  lines.push(answer.body === "" ? "< (empty)" : `< ${text(answer.body)}`, "");
  return lines.join("\n");
}

function text(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
