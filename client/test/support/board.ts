import type { Page } from 'puppeteer-core';
import { until } from '../../../test/support/until.ts';

/** A window with the example, as a person sees and uses it. What runs in the page is text: its types are not those of Node. */
export class Board {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async signIn(url: string, email: string, password: string): Promise<void> {
    await this.page.goto(url);
    await this.page.type('[name=email]', email);
    await this.page.type('[name=password]', password);
    await this.page.click('#sign-in button');
    await this.shows('live');
  }

  /** Waits until it says so of itself, with all there is to choose. */
  async shows(status: string): Promise<void> {
    const there = `document.getElementById('status').textContent === '${status}' && document.querySelectorAll('option').length >= 4`;
    await this.page.waitForFunction(there, { timeout: 40_000 });
  }

  rows(): Promise<string[]> {
    const texts = `[...document.querySelectorAll('#board li')].map((item) => [...item.children].map((cell) => cell.textContent).join(' '))`;
    return this.page.evaluate(texts) as Promise<string[]>;
  }

  async seen(rows: readonly string[]): Promise<void> {
    const wanted = JSON.stringify(rows);
    await until(`the window shows ${wanted}`, async () => JSON.stringify(await this.rows()) === wanted, 40_000);
  }

  /** The lists that the browser has kept. */
  kept(): Promise<string[]> {
    const read = `new Promise((done) => {
      const request = indexedDB.open('clientsplus', 1);
      request.onsuccess = () => {
        const all = request.result.transaction('lists').objectStore('lists').getAll();
        all.onsuccess = () => done(all.result.map(({ rows }) => JSON.stringify(rows)));
      };
    })`;
    return this.page.evaluate(read) as Promise<string[]>;
  }

  async book(time: string, service: string, staff: string): Promise<void> {
    await this.page.evaluate(`for (const [name, text] of Object.entries(${JSON.stringify({ time, service, staff })})) {
      const field = document.getElementById('book').elements.namedItem(name);
      field.value = [...(field.options ?? [])].find((option) => option.text === text)?.value ?? text;
    }`);
    await this.page.click('#book button');
  }

  /** Waits until it says why not. */
  async refused(): Promise<string> {
    const text = `document.querySelector('#book [role=alert]').textContent`;
    return until('a refusal', async () => (await this.page.evaluate(text)) as string);
  }
}
