/**
 * The one place that speaks HTTP. Every call goes to the public API of the host that served this page, with its cookie.
 */

/** An answer that is not 2xx, in the server's own words, or the lack of any answer. */
export class Problem extends Error {
  /**
   * @param {number} status 0 where the server did not answer
   * @param {{title?: string, detail?: string, errors?: Array<{field?: string, message?: string}>}} [body]
   */
  constructor(status, body = {}) {
    const detail = body.detail ?? body.title ?? `The server answered ${status}.`;
    const fields = (body.errors ?? [])
      .filter((each) => !detail.includes(each.message))
      .map((each) => `${each.field}: ${each.message}`);
    super(sentence([detail, ...fields].join(' · ')));
    this.status = status;
    this.title = body.title ?? '';
  }
}

/** @param {string} text */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Told once whenever the server no longer knows who we are. @type {Set<() => void>} */
export const whenSignedOut = new Set();

/**
 * The URL of a route below the page's own; undefined and empty parameters are left out, lists are repeated.
 * @param {string} path without a leading slash
 * @param {Object<string, any>} [query]
 */
export function urlOf(path, query = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const each of [value].flat())
      if (each !== undefined && each !== null && each !== '') parameters.append(name, String(each));
  const text = parameters.toString();
  return new URL(path + (text ? `?${text}` : ''), document.baseURI).href;
}

/**
 * The answer as the browser has it.
 * @param {string} method
 * @param {string} path
 * @param {{query?: Object<string, any>, body?: any, signal?: AbortSignal}} given
 * @param {string} accept
 * @returns {Promise<Response>}
 */
async function send(method, path, { query, body, signal }, accept) {
  try {
    return await fetch(urlOf(path, query), {
      method,
      signal,
      credentials: 'same-origin',
      headers: body === undefined ? { accept } : { accept, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { detail: 'The server does not answer. It may be restarting, or this device is offline.' });
  }
}

/** @param {Response} answer @param {string} path @returns {Promise<any>} its JSON, null where it has none */
async function said(answer, path) {
  const text = await answer.text();
  const body = /json/.test(answer.headers.get('content-type') ?? '') && text ? JSON.parse(text) : null;
  if (answer.ok) return body;
  if (answer.status === 401 && path !== 'login') whenSignedOut.forEach((tell) => tell());
  throw new Problem(answer.status, body ?? undefined);
}

/**
 * Ask, and give the answer's JSON with its headers.
 * @param {string} method
 * @param {string} path
 * @param {{query?: Object<string, any>, body?: any, signal?: AbortSignal}} [given]
 * @returns {Promise<{body: any, headers: Headers}>}
 * @throws {Problem}
 */
export async function ask(method, path, given = {}) {
  const answer = await send(method, path, given, 'application/json');
  return { body: await said(answer, path), headers: answer.headers };
}

/**
 * Ask, and give the server-sent events of the answer as they come; the first one is `begun`, with the headers.
 * @param {string} method
 * @param {string} path
 * @param {{query?: Object<string, any>, body?: any, signal?: AbortSignal}} given
 * @returns {AsyncGenerator<{kind: string, data: any}>}
 * @throws {Problem} also where the answer ends in the middle of an event
 */
export async function* listen(method, path, given) {
  const answer = await send(method, path, given, 'text/event-stream');
  if (!answer.ok) await said(answer, path);
  yield { kind: 'begun', data: answer.headers };
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  for (;;) {
    const { value, done } = await reader.read();
    held += value ?? '';
    const blocks = held.split('\n\n');
    held = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      if (fields.event) yield { kind: fields.event, data: JSON.parse(fields.data) };
    }
    if (done) break;
  }
  if (held.trim()) throw new Problem(0, { detail: 'The connection broke off.' });
}

/** @param {string} path @param {Object<string, any>} [query] @param {AbortSignal} [signal] */
export const get = async (path, query, signal) => (await ask('GET', path, { query, signal })).body;

/**
 * Every item of a paged list, at most `most`.
 * @param {string} path @param {Object<string, any>} [query] @param {number} [most]
 * @returns {Promise<any[]>}
 */
export async function getAll(path, query = {}, most = 5000) {
  const items = [];
  let cursor;
  do {
    const page = await get(path, { limit: 500, ...query, cursor });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < most);
  return items;
}

/** The picture of a photo. @param {{path: string, library_id: number}} photo @param {'full'|'preview'|'thumb'} size */
export const pictureUrl = (photo, size) => urlOf('image', { path: photo.path, library: photo.library_id, size });

/** A face as a square JPEG. @param {number} faceId @param {number} [size] pixels */
export const cropUrl = (faceId, size = 192) => urlOf(`image/faces/${encodeURIComponent(faceId)}/crop`, { size });
