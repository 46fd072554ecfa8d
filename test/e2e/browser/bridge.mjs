// Drives real browsers for the Go tests. One JSON request per line on stdin, {id, op, ...}; per line on stdout one JSON
// answer, {id, result} or {id, error}, or one event, {page, console}. It ends with its stdin, and its browsers with it.
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const node = Number(process.versions.node.split(".")[0]);
// playwright-core ends the process on a Node below 20, which is what Debian 12 has: there puppeteer drives Chromium too.
const playwright = node >= 20 ? (await import("playwright-core")).chromium : null;

const firefoxPrefs = {
  "app.update.enabled": false,
  "browser.safebrowsing.downloads.remote.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "media.navigator.permission.disabled": true,
  "media.navigator.streams.fake": true,
};

const browsers = new Map(); // id -> {browser, context(): Promise<context>}
const pages = new Map(); // id -> {page, context, cdp}
let lastID = 0;

async function launch({ kind, path, args }) {
  const id = ++lastID;
  if (kind === "chromium" && playwright) {
    const browser = await playwright.launch({ executablePath: path, headless: true, args });
    browsers.set(id, { browser, context: () => browser.newContext() });
    return { id, version: `chromium ${browser.version()} by playwright` };
  }
  const firefox = kind === "firefox";
  const browser = await puppeteer.launch({
    browser: firefox ? "firefox" : "chrome",
    executablePath: path,
    headless: true,
    args,
    extraPrefsFirefox: firefoxPrefs,
  });
  browsers.set(id, { browser, context: () => browser.createBrowserContext() });
  return { id, version: `${await browser.version()} by puppeteer` };
}

async function open({ browser, url }) {
  const id = ++lastID;
  const owner = browsers.get(browser);
  const context = await owner.context();
  const page = await context.newPage();
  page.on("console", (m) => say({ page: id, console: `${m.type()}: ${m.text()}` }));
  page.on("pageerror", (e) => say({ page: id, console: `pageerror: ${e?.stack ?? e}` }));
  page.on("requestfailed", (r) => say({ page: id, console: `requestfailed: ${r.url()} ${failure(r)}` }));
  pages.set(id, { page, context, cdp: context.newCDPSession ? await context.newCDPSession(page) : null });
  await page.goto(url, { waitUntil: "domcontentloaded", timeout: 30_000 });
  return { id };
}

function failure(request) {
  return request.failure?.()?.errorText ?? "";
}

// Playwright evaluates with eval(), which a page's Content-Security-Policy forbids; the protocol's own call is exempt, so
// the policy stays in force for the page itself.
async function evaluate({ page: id, expression }) {
  const { page, cdp } = pages.get(id);
  if (!cdp) {
    return page.evaluate(expression);
  }
  const answer = await cdp.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (answer.exceptionDetails) {
    const { exception, text } = answer.exceptionDetails;
    throw new Error(exception?.description ?? exception?.value ?? text);
  }
  return answer.result.value;
}

// A real click, which counts as the person's gesture that sound needs.
async function click({ page: id, selector }) {
  await pages.get(id).page.click(selector);
}

async function screenshot({ page: id, path }) {
  await pages.get(id).page.screenshot({ path });
}

async function closePage({ page: id }) {
  const { page, context } = pages.get(id);
  pages.delete(id);
  await page.close();
  await context.close();
}

async function closeBrowser({ browser: id }) {
  const { browser } = browsers.get(id);
  browsers.delete(id);
  await browser.close();
}

const ops = { launch, open, evaluate, click, screenshot, closePage, closeBrowser };

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function answer(line) {
  const { id, op, ...rest } = JSON.parse(line);
  try {
    say({ id, result: (await ops[op](rest)) ?? null });
  } catch (e) {
    say({ id, error: String(e?.message ?? e) });
  }
}

const input = createInterface({ input: process.stdin });
input.on("line", answer);
input.on("close", async () => {
  await Promise.allSettled([...browsers.values()].map(({ browser }) => browser.close()));
  process.exit(0);
});
