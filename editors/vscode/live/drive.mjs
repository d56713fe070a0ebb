// Types into VS Code in a browser and looks at what it shows: errors, hints, completion, a quick fix, formatting.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [url, executablePath, picture] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
page.setDefaultTimeout(120_000);

/** The text of the editor, with the hints between it. */
async function shown() {
  const text = await page.locator(".editor-instance .view-lines").first().innerText();
  return text.replaceAll("\u00a0", " ");
}

/** Wait until the editor shows a text. */
async function until(wanted) {
  for (let tries = 0; tries < 600; tries++) {
    if ((await shown()).includes(wanted)) {
      return;
    }
    await page.waitForTimeout(200);
  }
  assert.fail(`${wanted} is not shown, but ${await shown()}`);
}

/** Wait for the server, then open its page. */
async function open() {
  for (let tries = 0; ; tries++) {
    try {
      return await page.goto(url);
    } catch (error) {
      if (tries === 60) {
        throw error;
      }
      await page.waitForTimeout(1000);
    }
  }
}

try {
  await open();
  await page.waitForSelector(".monaco-workbench");
  await page.getByRole("treeitem", { name: "net.nnspec" }).dblclick();
  await page.waitForSelector(".squiggly-error");
  console.log("an error is underlined");

  await until("26x26x16");
  await until("160 parameters");
  console.log("shapes and parameters are hinted");

  await page.locator(".editor-instance .view-line").first().click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("let other = $");
  await page.keyboard.press("Control+Space");
  await page.waitForSelector(".suggest-widget.visible .monaco-list-row");
  assert.match(await page.locator(".suggest-widget").innerText(), /\$width/);
  await page.waitForTimeout(500);
  await page.keyboard.press("Enter");
  await until("let other = $width");
  console.log("a name is completed");

  await page.keyboard.press("F8"); // the next error: maxpol
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+.");
  await page.locator(".action-widget").getByText("Replace maxpol by maxpool").click();
  await until("maxpool 2");
  console.log("a mistake is mended");

  await page.keyboard.press("Control+Shift+I");
  await until("-> dense 10 softmax");
  console.log("the text is formatted");
} finally {
  await page.screenshot({ path: picture });
  await browser.close();
}
