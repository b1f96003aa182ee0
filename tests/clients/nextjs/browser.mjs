// A browser in which nothing may go wrong unless a test said so beforehand.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags });
}

/** Someone with cookies of their own: a page, what it requested, and what went wrong. */
export class Visitor {
  requests = []; // "METHOD /path", as they were made
  #expected = []; // "STATUS METHOD /path", refusals that a test announced
  #refusals = [];
  #console = [];
  #faults = [];
  #bodies = [];

  static async arrive(browser, origin) {
    const context = await browser.newContext({ baseURL: origin });
    context.setDefaultTimeout(15_000);
    const visitor = new Visitor();
    visitor.context = context;
    visitor.origin = origin;
    visitor.page = await context.newPage();
    visitor.#watch();
    return visitor;
  }

  expect(refusal) {
    this.#expected.push(refusal);
  }

  async leave() {
    await Promise.all(this.#bodies);
    await this.context.close();
    assert.deepEqual(this.#faults, [], "nothing fails unannounced");
    assert.deepEqual(this.#refusals, this.#expected, "what was announced is refused, and nothing else");
    const unexplained = this.#console.filter(({ text, url }) => {
      const status = text.match(/^Failed to load resource: .* status of (\d+)/)?.[1];
      return !status || !this.#explained.has(`${status} ${url}`);
    });
    assert.deepEqual(unexplained, [], "the console stays empty");
  }

  #explained = new Set();

  #watch() {
    const { page } = this;
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.origin !== this.origin) this.#faults.push(`request to ${url.origin}`);
      this.requests.push(`${request.method()} ${url.pathname}`);
    });
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      // The router drops what it no longer needs when it navigates.
      if (why === "net::ERR_ABORTED" && new URL(request.url()).searchParams.has("_rsc")) return;
      this.#faults.push(`${request.method()} ${request.url()} ${why}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) this.#bodies.push(this.#refused(response));
    });
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        this.#console.push({ text: message.text(), url: message.location().url });
    });
    page.on("pageerror", (error) => this.#faults.push(String(error)));
  }

  async #refused(response) {
    const path = new URL(response.url()).pathname;
    const refusal = `${response.status()} ${response.request().method()} ${path}`;
    this.#explained.add(`${response.status()} ${response.url()}`);
    const body = await response.json().catch(() => ({}));
    // Short-lived access tokens may expire at any step.
    if (body.error_code === "TOKEN_EXPIRED" && response.status() === 401) return;
    this.#refusals.push(refusal.replace(/\/api\/[^/]+\/tasks/, "/api/{user}/tasks"));
  }
}
