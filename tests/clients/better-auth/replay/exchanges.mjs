import account from "./exchanges/account.mjs";
import origin from "./exchanges/origin.mjs";
import revocation from "./exchanges/revocation.mjs";
import routing from "./exchanges/routing.mjs";
import session from "./exchanges/session.mjs";
import signIn from "./exchanges/sign-in.mjs";
import signUp from "./exchanges/sign-up.mjs";

export const EXCHANGES = [
  ...routing,
  ...signUp,
  ...signIn,
  ...origin,
  ...session,
  ...account,
  ...revocation,
];

const titles = EXCHANGES.map(({ title }) => title);
const twice = titles.filter((title, index) => titles.indexOf(title) !== index);
if (twice.length) throw new Error(`titles are used twice: ${twice.join(", ")}`);
