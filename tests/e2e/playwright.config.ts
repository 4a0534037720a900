import { defineConfig } from "@playwright/test";

import { CHROMIUM, TARGET } from "./harness/places.ts";

// The browser is Debian's. As root it needs no sandbox of its own; the rest keeps it from calling hosts of its maker.
const launchOptions = {
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

export default defineConfig({
  testDir: ".",
  outputDir: `${TARGET}/e2e`,
  reporter: [["list"]],
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: true,
  // A story waits for a grant of one minute to end by itself.
  timeout: 240_000,
  expect: { timeout: 15_000 },
  use: { headless: true, launchOptions, locale: "en-GB", timezoneId: "UTC" },
});
