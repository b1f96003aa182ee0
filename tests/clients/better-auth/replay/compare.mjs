// Finds where two recordings of the same exchanges part ways, member by member.

/** Stands for what one side does not have. */
export const ABSENT = "(absent)";

/** Returns `[{ title, part, node, ours }]`, all values but objects as they are. */
export function compare(node, ours) {
  return node.flatMap(({ title, answer }, index) => {
    const other = ours[index];
    if (other?.title !== title) throw new Error(`recordings part at "${title}"`);
    return [
      ...parts("status", answer.status, other.answer.status),
      ...headers(answer.headers, other.answer.headers),
      ...parts("body", answer.body, other.answer.body),
    ].map((difference) => ({ title, ...difference }));
  });
}

function headers(node, ours) {
  const names = [...new Set([...Object.keys(node), ...Object.keys(ours)])].sort();
  return names.flatMap((name) => {
    const [one, other] = [node[name], ours[name]].map((value) =>
      Array.isArray(value) ? value.join("\n") : value,
    );
    return parts(name, one, other);
  });
}

function parts(part, node, ours) {
  if (isObject(node) && isObject(ours) && Array.isArray(node) === Array.isArray(ours)) {
    const keys = [...new Set([...Object.keys(node), ...Object.keys(ours)])];
    return keys.flatMap((key) => parts(`${part}.${key}`, node[key], ours[key]));
  }
  return Object.is(node, ours) ? [] : [{ part, node: plain(node), ours: plain(ours) }];
}

function isObject(value) {
  return typeof value === "object" && value !== null;
}

function plain(value) {
  if (value === undefined) return ABSENT;
  return isObject(value) ? JSON.stringify(value) : value;
}
