import { existsSync } from 'node:fs';
import { type Browser, launch, type Page } from 'puppeteer-core';

const PLACES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where Chromium is; null: nowhere, and what needs it is left out. */
export const chromium: string | null = PLACES.find((place) => place !== undefined && existsSync(place)) ?? null;

export function openBrowser(): Promise<Browser> {
  return launch({ executablePath: chromium ?? '', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** A window of its own: it shares nothing with another. Its errors are the test's, but those of a network that is away. */
export async function openWindow(browser: Browser, errors: string[]): Promise<Page> {
  const page = await (await browser.createBrowserContext()).newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  return page;
}
