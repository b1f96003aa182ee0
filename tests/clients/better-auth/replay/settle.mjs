// Settles differences against the list of accepted ones.

/** Returns `{ unlisted, outdated }`: differences that are not listed, and listed ones that no longer occur. */
export function settle(differences, accepted) {
  const rules = accepted.flatMap(({ title, differences: list }) =>
    list.flatMap((rule) => (rule.in ?? [undefined]).map((exchange) => ({ ...rule, title, exchange }))),
  );
  const used = new Set();
  const unlisted = differences.filter((difference) => {
    const excuses = rules.filter((rule) => excused(rule, difference));
    excuses.forEach((rule) => used.add(rule));
    return excuses.length === 0;
  });
  return { unlisted, outdated: rules.filter((rule) => !used.has(rule)) };
}

function excused(rule, { title, part, node, ours }) {
  return (
    (rule.exchange === undefined || rule.exchange === title) &&
    matches(rule.part, part) &&
    matches(rule.node, node) &&
    matches(rule.ours, ours)
  );
}

function matches(expected, value) {
  return expected instanceof RegExp ? expected.test(String(value)) : Object.is(expected, value);
}
