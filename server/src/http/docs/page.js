// Draws /openapi.json: every operation with what it takes and answers, and a form that
// calls it. Text only ever becomes text nodes, so nothing in the document can run.
"use strict";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child != null));
  return made;
};

let api;
const resolve = (node) =>
  node?.$ref ? resolve(node.$ref.split("/").slice(1).reduce((at, key) => at?.[key], api)) : node;

// An example of what fits a schema, to start from.
const sample = (schema, depth = 0) => {
  const node = resolve(schema) ?? {};
  if (depth > 5) return null;
  if (node.example !== undefined) return node.example;
  if (node.enum) return node.enum[0];
  const choice = (node.oneOf ?? node.anyOf)?.find((option) => option.type !== "null");
  if (choice) return sample(choice, depth + 1);
  if (node.allOf) return Object.assign({}, ...node.allOf.map((part) => sample(part, depth + 1)));
  const type = [node.type].flat().find((each) => each !== "null");
  if (type === "object") {
    const members = Object.entries(node.properties ?? {});
    return Object.fromEntries(members.map(([name, member]) => [name, sample(member, depth + 1)]));
  }
  if (type === "array") return [sample(node.items, depth + 1)];
  return { boolean: false, integer: 0, number: 0, string: "" }[type] ?? null;
};

const json = (value) => JSON.stringify(value, null, 2);

const rows = (heading, pairs) =>
  pairs.length === 0 ? null : element("section", {}, element("h3", { textContent: heading }),
    element("table", {}, ...pairs.map(([name, text]) => element("tr", {},
      element("td", {}, element("code", { textContent: name })),
      element("td", { textContent: text ?? "" })))));

const field = (name, control) => {
  control.id = `field-${field.count = (field.count ?? 0) + 1}`;
  return element("div", {}, element("label", { htmlFor: control.id, textContent: name }), control);
};

const form = (method, path, parameters, body) => {
  const inputs = parameters.map((parameter) => ({ parameter, input: element("input") }));
  const text = body && element("textarea", { value: json(sample(body)), spellcheck: false });
  const answer = element("pre", { hidden: true, ariaLive: "polite" });
  const send = async () => {
    const headers = {}, query = new URLSearchParams();
    let address = path;
    for (const { parameter, input } of inputs) {
      if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value === "") continue;
      else if (parameter.in === "query") query.set(parameter.name, input.value);
      else if (parameter.in === "header") headers[parameter.name] = input.value;
    }
    const token = document.getElementById("token").value.trim();
    if (token) headers.authorization = `Bearer ${token}`;
    if (text?.value.trim()) headers["content-type"] = "application/json";
    const search = query.size ? `?${query}` : "";
    answer.hidden = false;
    try {
      const got = await fetch(address + search, { method, headers, body: text?.value.trim() || undefined });
      const content = await got.text();
      const shown = ["location", "etag", "link", "x-total-count", "set-auth-token", "set-auth-jwt", "www-authenticate"]
        .filter((name) => got.headers.has(name)).map((name) => `${name}: ${got.headers.get(name)}`);
      let pretty = content;
      try { pretty = json(JSON.parse(content)); } catch { /* not JSON: as it came */ }
      answer.textContent = [`${got.status} ${got.statusText}`, ...shown, "", pretty].join("\n");
    } catch (error) {
      answer.textContent = String(error);
    }
  };
  const made = element("form", {}, ...inputs.map(({ parameter, input }) => field(`${parameter.name} (${parameter.in})`, input)),
    text && field("body", text), element("button", { textContent: "Send" }), answer);
  made.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  return made;
};

const draw = (method, path, operation) => {
  const parameters = (operation.parameters ?? []).map(resolve);
  const body = resolve(operation.requestBody)?.content?.["application/json"]?.schema;
  const members = Object.entries(resolve(body)?.properties ?? {});
  return element("details", {},
    element("summary", {}, element("code", {}, element("span", { className: "method", textContent: method.toUpperCase() }), path),
      " ", element("span", { textContent: operation.summary ?? "" })),
    element("div", { className: "operation" },
      operation.description ? element("p", { textContent: operation.description }) : null,
      rows("Parameters", parameters.map((each) => [each.name, each.description])),
      rows("Members of the body", members.map(([name, member]) => [name, resolve(member).description ?? member.description])),
      rows("Answers", Object.entries(operation.responses).map(([status, each]) => [status, resolve(each).description])),
      form(method.toUpperCase(), path, parameters, body)));
};

const start = async () => {
  const main = document.getElementById("operations");
  api = await (await fetch("/openapi.json")).json();
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  document.getElementById("about").textContent = api.info.description ?? "";
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of ["get", "post", "put", "patch", "delete"].filter((each) => item[each])) {
      const tag = item[method].tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), draw(method, path, item[method])]);
    }
  }
  main.replaceChildren(...[...groups].map(([tag, drawn]) =>
    element("section", {}, element("h2", { textContent: tag }), ...drawn)));
};

start().catch((error) => {
  document.getElementById("operations").textContent = `Cannot show the API: ${error}`;
});
