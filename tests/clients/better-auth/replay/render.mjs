// Renders the accepted differences for readers.
import { ACCEPTED } from "./differences.mjs";

export function render() {
  const entries = ACCEPTED.map(({ title, why, differences }) => {
    const rows = differences.map(
      ({ in: titles, part, node, ours }) =>
        `| ${titles ? titles.join("; ") : "anywhere"} | ${show(part)} | ${show(node)} | ${show(ours)} |`,
    );
    return [`## ${title}`, "", why, "", "| In | Part | Better Auth | Here |", "|---|---|---|---|", ...rows, ""].join("\n");
  });
  return `${HEAD}\n${entries.join("\n")}`;
}

const HEAD = `# Accepted differences from Better Auth

Rendered from \`differences.mjs\` by \`node replay/replay.mjs --render\`. A replay fails on every
difference that is not here, and on every one here that no longer occurs. Patterns stand
between slashes.
`;

function show(value) {
  if (value === "") return "(empty)";
  const text = value instanceof RegExp ? String(value) : String(value).replaceAll("\n", " ");
  return `\`${text.replaceAll("|", "\\|")}\``;
}
