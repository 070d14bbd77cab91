// A real browser for tests of pages: Debian's chromium, driven by playwright-core.
import { type Browser, chromium, type Page } from "playwright-core";

/** A page, and what went wrong in it: errors of its script and on its console, and requests to anywhere but itself. */
export interface OpenPage {
  readonly page: Page;
  readonly troubles: readonly string[];
}

export interface TestBrowser {
  open(file: string, options?: { readonly dark?: boolean }): Promise<OpenPage>;
  close(): Promise<void>;
}

/** Starts chromium (tools/setup.sh installs it). */
export async function startBrowser(): Promise<TestBrowser> {
  // Tests run as root, where chromium has no sandbox of its own.
  const browser: Browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  return {
    async open(file, { dark = false } = {}) {
      const page = await browser.newPage({ colorScheme: dark ? "dark" : "light", viewport: { width: 1280, height: 800 } });
      const troubles: string[] = [];
      page.on("console", (message) => void (["error", "warning"].includes(message.type()) && troubles.push(message.text())));
      page.on("pageerror", (error) => void troubles.push(error.message));
      page.on("request", (request) => void (/^(?:file|data):/.test(request.url()) || troubles.push(request.url())));
      await page.goto(`file://${file}`);
      return { page, troubles };
    },
    close: () => browser.close(),
  };
}
