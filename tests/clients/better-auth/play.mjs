// Plays the scenarios against one server with one release of the client in one mode.
import { randomBytes } from "node:crypto";
import { clients } from "./client.mjs";
import { scenarios } from "./scenarios.mjs";

/** Returns `{ passed, total, faults }`; every fault is a line with its position. */
export async function play({ release, mode, url }) {
  const client = await clients({ release, mode, url });
  const steps = Object.entries(
    scenarios({
      here: client(),
      there: client(),
      signedOut: client(),
      email: `Ada-${randomBytes(6).toString("hex")}@example.com`,
    }),
  );
  const faults = [];
  for (const [name, step] of steps) {
    try {
      await step();
    } catch (fault) {
      faults.push(`${name}: ${fault.message.split("\n").filter(Boolean).join(" ")}`);
    }
  }
  return { passed: steps.length - faults.length, total: steps.length, faults };
}
