/** A browser without JavaScript: a cookie jar that follows redirects and submits forms. Runs in workerd and in Node. */
import { type HTMLElement, parse } from 'node-html-parser';

export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** What the person sees. `left` is set instead of a page when a redirect led away from the server. */
export type Page = { url: URL; status: number; headers: Headers; html: string; left?: URL };

type Fields = Record<string, string | string[]>;

/** Browsers drop a cookie whose name and value are longer. */
const MAX_COOKIE_BYTES = 4096;

export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #expiry = new Map<string, number>();
  readonly #fetch: Fetch;
  readonly #origin: string;

  constructor(origin: string, fetch: Fetch) {
    this.#origin = origin;
    this.#fetch = fetch;
  }

  open(url: string | URL): Promise<Page> {
    return this.#go(new URL(url, this.#origin), {});
  }

  /** Presses the button with that label, with the form's own values unless `fields` says otherwise. */
  press(page: Page, label: string, fields: Fields = {}): Promise<Page> {
    const button = parsed(page)
      .querySelectorAll('button')
      .find((candidate) => candidate.text.trim() === label);
    const form = button?.closest('form');
    if (!button || !form) throw new Error(`no button "${label}" on: ${page.html || page.left?.href}`);
    return this.#send(page, form, button, fields);
  }

  /** Presses the first button of the form that goes to `action`, a path, whatever the button says. */
  submit(page: Page, action: string, fields: Fields = {}): Promise<Page> {
    const form = parsed(page)
      .querySelectorAll('form')
      .find((candidate) => candidate.getAttribute('action') === action);
    const button = form?.querySelector('button');
    if (!button || !form) throw new Error(`no form for ${action} on: ${page.html || page.left?.href}`);
    return this.#send(page, form, button, fields);
  }

  #send(page: Page, form: HTMLElement, button: HTMLElement, fields: Fields): Promise<Page> {
    const body = new URLSearchParams();
    for (const [name, value] of valuesOf(form)) if (!(name in fields)) body.append(name, value);
    for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one);
    const name = button.getAttribute('name');
    if (name) body.append(name, button.getAttribute('value') ?? '');
    const action = new URL(form.getAttribute('action') ?? page.url, page.url);
    return this.#go(action, { method: 'POST', body, headers: { Origin: page.url.origin } });
  }

  /** Posts a form that was put together by hand, from a page of this server. */
  post(url: string | URL, fields: Record<string, string>): Promise<Page> {
    const body = new URLSearchParams(fields);
    return this.#go(new URL(url, this.#origin), { method: 'POST', body, headers: { Origin: this.#origin } });
  }

  /** Puts a cookie into the jar, such as one that was kept from before. */
  setCookie(name: string, value: string): void {
    this.cookies.set(name, value);
    this.#expiry.set(name, Infinity);
  }

  async #go(start: URL, firstRequest: RequestInit): Promise<Page> {
    let url = start;
    let init = firstRequest;
    for (let hops = 0; hops < 20; hops += 1) {
      if (url.origin !== this.#origin) return { url, status: 0, headers: new Headers(), html: '', left: url };
      this.#dropExpiredCookies();
      const headers = new Headers(init.headers);
      if (this.cookies.size > 0)
        headers.set('Cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
      const response = await this.#fetch(url, { ...init, headers, redirect: 'manual' });
      this.#keepCookies(response.headers);
      const location = response.headers.get('Location');
      if (!location) {
        // Not text(): workerd warns when a download is of a kind it does not know as text.
        const html = new TextDecoder().decode(await response.arrayBuffer());
        return { url, status: response.status, headers: response.headers, html };
      }
      await response.body?.cancel();
      url = new URL(location, url);
      init = {};
    }
    throw new Error(`more than 20 redirects from ${start.href}`);
  }

  #keepCookies(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      // RFC 6265bis, section 5.6.
      if (pair.length > MAX_COOKIE_BYTES) continue;
      const maxAge = attributes.find((attribute) => /^max-age=/i.test(attribute))?.slice('max-age='.length);
      this.cookies.set(name, pair.slice(name.length + 1));
      this.#expiry.set(name, maxAge === undefined ? Infinity : Date.now() + Number(maxAge) * 1000);
    }
    this.#dropExpiredCookies();
  }

  #dropExpiredCookies(): void {
    for (const [name, expiry] of this.#expiry) if (expiry <= Date.now()) this.cookies.delete(name);
  }
}

/** As a browser without script reads it. */
function parsed({ html }: Pick<Page, 'html'>): HTMLElement {
  return parse(html, { blockTextElements: { script: true, style: true } });
}

function valuesOf(form: HTMLElement): [string, string][] {
  return form.querySelectorAll('input, select, textarea').flatMap((input): [string, string][] => {
    const name = input.getAttribute('name');
    if (!name || input.hasAttribute('disabled')) return [];
    if (input.rawTagName === 'select') {
      const chosen = input.querySelector('option[selected]') ?? input.querySelector('option');
      return [[name, chosen?.getAttribute('value') ?? '']];
    }
    // Its first line break is not part of what it holds.
    if (input.rawTagName === 'textarea') return [[name, input.text.replace(/^\n/, '')]];
    // Without script a person types what the page asks for.
    if (input.closest('noscript')) return [[name, input.getAttribute('placeholder') ?? '']];
    if (input.getAttribute('type') === 'checkbox' && !input.hasAttribute('checked')) return [];
    return [[name, input.getAttribute('value') ?? '']];
  });
}

/** What the forms of a page hold unseen, by name. */
export function hiddenFields(page: Page): Record<string, string> {
  const inputs = parsed(page).querySelectorAll('input[type=hidden]');
  return Object.fromEntries(inputs.map((one) => [one.getAttribute('name') ?? '', one.getAttribute('value') ?? '']));
}

/** The text of a page, as a person reads it. */
export function textOf(page: Page): string {
  return parsed({ html: page.html.replaceAll('><', '> <') })
    .text.replace(/\s+/g, ' ')
    .trim();
}

/** Where the link with that text leads; undefined when there is none. */
export function linkOf(page: Page, label: string): URL | undefined {
  const link = parse(page.html)
    .querySelectorAll('a')
    .find((candidate) => candidate.text.replace(/\s+/g, ' ').trim() === label);
  const href = link?.getAttribute('href');
  return href === undefined ? undefined : new URL(href, page.url);
}
