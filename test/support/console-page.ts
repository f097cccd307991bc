/** The human's page in a real browser: how they get there, and how anybody sees that everything is stopped. */
import type { Page } from 'playwright-core';

export async function signInAt(page: Page, origin: string, email: string): Promise<void> {
  await page.goto(`${origin}/deputies`);
  await page.locator('[name=email]').fill(email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/deputies');
}

/** Stops every deputy, and waits until the page says so. */
export async function stopAll(page: Page): Promise<void> {
  await page.locator('form[action="/deputies/pause"] button').first().click();
  await saysStopped(page);
}

/** Waits until the page offers to let them go on. */
export async function saysStopped(page: Page): Promise<void> {
  await page.locator('a[href="/deputies/resume"], form[action="/deputies/resume"]').first().waitFor();
}
