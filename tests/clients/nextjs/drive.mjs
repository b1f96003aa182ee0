// Drives the example as two people would. Needs ORIGIN, where it is served.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { Visitor, launch } from "./browser.mjs";

const origin = process.env.ORIGIN;
const screenshots = process.env.SCREENSHOTS || new URL("screenshots", import.meta.url).pathname;
const tokenSeconds = Number(process.env.TOKEN_SECONDS ?? 3);
const ada = { name: "Ada Lovelace", email: "ada@example.com", password: "tulips and rain 42" };
const grace = { name: "Grace Hopper", email: "grace@example.com", password: "moths and relays 47" };

await mkdir(screenshots, { recursive: true });
const browser = await launch();
let visitor;
let step = "start";
const begin = (what) => console.log(`   ${(step = what)}`);

const button = (name) => visitor.page.getByRole("button", { name, exact: true });
const heading = (name) => visitor.page.getByRole("heading", { name, exact: true }).waitFor();
const items = () => visitor.page.getByRole("list", { name: "Tasks" }).getByRole("listitem");
const box = (title) => visitor.page.getByRole("checkbox", { name: title, exact: true });
const status = (text) => visitor.page.getByRole("status").filter({ hasText: text }).waitFor();
const alert = (text) => visitor.page.getByRole("alert").filter({ hasText: text }).waitFor();
const titles = () => items().locator("label").allTextContents();

async function fill(who) {
  if (who.name) await visitor.page.getByLabel("Name", { exact: true }).fill(who.name);
  await visitor.page.getByLabel("E-mail").fill(who.email);
  await visitor.page.getByLabel("Password").fill(who.password);
}

async function add(title, priority) {
  await visitor.page.getByLabel("New task").fill(title);
  if (priority) await visitor.page.getByLabel("Priority").selectOption(priority);
  await button("Add").click();
  await status(`Added ${title}`);
}

async function shoot(name) {
  await visitor.page.mouse.move(0, 0);
  for (const colorScheme of ["light", "dark"]) {
    await visitor.page.emulateMedia({ colorScheme });
    await visitor.page.screenshot({ path: `${screenshots}/${name}-${colorScheme}.png` });
  }
}

try {
  begin("a stranger is sent to sign in");
  visitor = await Visitor.arrive(browser, origin);
  await visitor.page.goto("/");
  await heading("Sign in");
  assert.equal(await visitor.page.title(), "Sign in · Tasks");
  assert.equal(await visitor.page.locator("html").getAttribute("lang"), "en");
  await shoot("sign-in");

  begin("sign up, from the link");
  await visitor.page.getByRole("link", { name: "Create an account" }).click();
  await heading("Create an account");
  await fill(ada);
  await button("Sign up").click();
  await heading("Tasks");
  await visitor.page.getByText("Nothing to do yet").waitFor();
  await visitor.page.getByText(ada.name, { exact: true }).waitFor();

  begin("add three tasks, complete one, delete a fourth");
  await add("Water the tulips");
  await add("Read about rain", "low");
  await add("Mail the letter", "urgent");
  await add("A mistake");
  assert.equal(await items().count(), 4);
  await box("Read about rain").check();
  await status("Completed Read about rain");
  await button("Delete A mistake").click();
  await status("Deleted A mistake");
  const three = ["Mail the letter", "Read about rain", "Water the tulips"];
  assert.deepEqual(await titles(), three);
  await shoot("tasks");

  begin("a refused task names the faulty field");
  visitor.expect("400 POST /api/{user}/tasks");
  await visitor.page.getByLabel("New task").fill("x".repeat(201));
  await button("Add").click();
  await alert("title: ");

  begin("reload: signed in, and everything is there");
  await visitor.page.reload();
  await items().first().waitFor();
  assert.deepEqual(await titles(), three);
  assert.equal(await box("Read about rain").isChecked(), true);
  assert.equal(await box("Mail the letter").isChecked(), false);

  begin("the access token expires and is renewed without a new login");
  await visitor.page.waitForTimeout((tokenSeconds + 1) * 1000);
  visitor.requests.length = 0;
  await add("Still signed in");
  const [refused] = visitor.requests;
  assert.match(refused, /^POST \/api\/[^/]+\/tasks$/);
  assert.deepEqual(visitor.requests, [refused, "GET /api/auth/token", refused]);
  assert.equal(await items().count(), 4);

  begin("sign out");
  await button("Sign out").click();
  await heading("Sign in");
  await visitor.page.goto("/");
  await heading("Sign in");

  begin("a wrong password is refused");
  visitor.expect("401 POST /api/auth/sign-in/email");
  await fill({ email: ada.email, password: "tulips and snow 42" });
  await button("Sign in").click();
  await alert("Invalid email or password");

  begin("sign in with the keyboard alone");
  await visitor.page.getByLabel("E-mail").focus();
  await visitor.page.keyboard.press("Tab");
  await visitor.page.keyboard.press("ControlOrMeta+A");
  await visitor.page.keyboard.type(ada.password);
  await visitor.page.keyboard.press("Enter");
  await items().first().waitFor();
  assert.deepEqual(await titles(), ["Still signed in", ...three]);
  await box("Water the tulips").focus();
  await visitor.page.keyboard.press("Space");
  await status("Completed Water the tulips");
  await visitor.leave();

  begin("another user, who gives the same e-mail first");
  visitor = await Visitor.arrive(browser, origin);
  visitor.expect("422 POST /api/auth/sign-up/email");
  await visitor.page.goto("/sign-up");
  await fill({ ...grace, email: ada.email });
  await button("Sign up").click();
  await alert("already exists");
  await fill(grace);
  await button("Sign up").click();
  await visitor.page.getByText("Nothing to do yet").waitFor();
  assert.equal(await items().count(), 0);
  await visitor.page.getByText(grace.name, { exact: true }).waitFor();

  begin("more tasks than fit one page");
  for (let n = 1; n <= 51; n++) await add(`Task ${n}`);
  await visitor.page.reload();
  await button("Show more").click();
  await box("Task 1").waitFor();
  assert.equal(await items().count(), 51);
  assert.equal(await button("Show more").count(), 0);
  await visitor.leave();
} catch (error) {
  console.error(`drive: FAILED at: ${step}`);
  await visitor?.page.screenshot({ path: `${screenshots}/failure.png` }).catch(() => {});
  throw error;
} finally {
  await browser.close();
}
