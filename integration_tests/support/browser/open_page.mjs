// Opens a page in headless Chromium and prints, as JSON, what a user finds there.
// node open_page.mjs URL FOLDER: screenshots go to FOLDER.
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const WIDTHS = [1280, 390];
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
const [url, folder] = process.argv.slice(2);

async function launch() {
  const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  if (installed) {
    return puppeteer.launch({ executablePath: installed, args: [...QUIET, "--no-sandbox", "--disable-gpu"] });
  }
  // It unpacks its libraries only in an environment that looks like a Lambda function.
  process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs24.x";
  const { default: chromium } = await import("@sparticuz/chromium");
  const executablePath = await chromium.executablePath();
  process.env.LD_LIBRARY_PATH = join(tmpdir(), "al2023/lib");
  // Its own fonts are for machines without fonts.
  if (existsSync("/usr/share/fonts")) delete process.env.FONTCONFIG_PATH;
  return puppeteer.launch({ executablePath, args: [...chromium.args, ...QUIET], headless: "shell" });
}

async function view(browser, width) {
  const page = await browser.newPage();
  const errors = [];
  const requests = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  await page.setViewport({ width, height: 900 });
  await page.goto(url, { waitUntil: "load" });
  // A page that is still loading its content sets aria-busy.
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  // Links may have the same text, so elements are compared.
  const focused = [];
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press("Tab");
    const name = await page.evaluate(() => {
      const at = document.activeElement;
      const reached = (window.reached ??= new Set());
      if (!at || at === document.body || reached.has(at)) return "";
      reached.add(at);
      const label = at.getAttribute("aria-label") ?? document.getElementById(at.getAttribute("aria-labelledby"))?.textContent;
      return `${at.tagName.toLowerCase()} ${(label ?? at.textContent).trim().slice(0, 60)}`;
    });
    if (!name) break;
    focused.push(name);
  }
  const collapsedHeight = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.screenshot({ path: `${folder}/${width}-collapsed.png`, fullPage: true });
  // Collapsed details belong to the page too.
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  const screenshot = `${folder}/${width}.png`;
  await page.screenshot({ path: screenshot, fullPage: true });
  const about = await page.evaluate(() => ({
    title: document.title,
    language: document.documentElement.lang,
    text: document.body.innerText,
    headings: [...document.querySelectorAll("h1, h2, h3")].map((one) => `${one.tagName.toLowerCase()} ${one.textContent.trim()}`),
    landmarks: [...document.querySelectorAll("main, nav, header, footer, [role]")].map((one) => one.getAttribute("role") || one.tagName.toLowerCase()),
    regions: [...document.querySelectorAll("section, [role=region]")].map((one) =>
      one.getAttribute("aria-label") ?? document.getElementById(one.getAttribute("aria-labelledby"))?.textContent ?? "").filter(Boolean),
    unnamed: [...document.querySelectorAll("svg, img, button, a, input")].filter(
      (one) => !(one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || one.getAttribute("alt") ||
        one.getAttribute("aria-hidden") || one.textContent.trim()),
    ).length,
    tooltips: [...document.querySelectorAll("svg title")].map((one) => one.textContent),
    bars: [...document.querySelectorAll("svg rect")].map((one) => ["x", "width"].map((name) => Number(one.getAttribute(name)))),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
  await page.close();
  return { width, screenshot, collapsed_height: collapsedHeight, errors, requests, focused, ...about };
}

const browser = await launch();
try {
  const views = [];
  for (const width of WIDTHS) views.push(await view(browser, width));
  console.log(JSON.stringify(views));
} finally {
  await browser.close();
}
