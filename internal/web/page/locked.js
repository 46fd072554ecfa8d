// A browser that has a right key sends it only when one of our own pages asks. So whoever followed a link of another site comes
// here first, and is let in.

import { withoutKey } from "./address.js";

const page = withoutKey(location.href);
history.replaceState(null, "", page);

try {
  const answer = await fetch("config.json", { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (answer.ok && !("stays" in document.body.dataset)) location.replace(page);
} catch {
  // The board does not answer: the form stays.
}
