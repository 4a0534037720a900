import { defineConfig } from "@playwright/test";

import { CHROMIUM, TARGET } from "./harness/places.ts";

// The browser is Debian's. As root it needs no sandbox of its own; the rest keeps it from calling hosts of its maker.
const launchOptions = {
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

export default defineConfig({
  testDir: ".",
  projects: [
    { name: "story", testIgnore: "package.spec.ts", outputDir: `${TARGET}/e2e` },
    // Needs the assembled npm package and no gate: a stage of its own, which may run beside the story.
    { name: "package", testMatch: "package.spec.ts", outputDir: `${TARGET}/e2e-package` },
    // Started by the bench, which says at which gate; what is measured twice is measured by nobody.
    { name: "bench", testMatch: "*.bench.ts", outputDir: `${TARGET}/e2e-bench`, retries: 0 },
  ],
  reporter: [["list"]],
  workers: 2,
  fullyParallel: true,
  // What fails once and passes at once is told as flaky and stands in the closing line: it is read, and mended.
  retries: 1,
  forbidOnly: true,
  // A story waits for a grant of one minute to end by itself.
  timeout: 240_000,
  expect: { timeout: 15_000 },
  use: { headless: true, launchOptions, locale: "en-GB", timezoneId: "UTC" },
});
