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
    const fields = (body.errors ?? []).filter((each) => !detail.includes(each.message)).map((each) => `${each.field}: ${each.message}`);
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
    for (const each of [value].flat()) if (each !== undefined && each !== null && each !== '') parameters.append(name, String(each));
  const text = parameters.toString();
  return new URL(path + (text ? `?${text}` : ''), document.baseURI).href;
}

/**
 * Ask, and give the answer's JSON with its headers.
 * @param {string} method
 * @param {string} path
 * @param {{query?: Object<string, any>, body?: any, signal?: AbortSignal}} [given]
 * @returns {Promise<{body: any, headers: Headers}>}
 * @throws {Problem}
 */
export async function ask(method, path, { query, body, signal } = {}) {
  let answer;
  try {
    answer = await fetch(urlOf(path, query), {
      method,
      signal,
      credentials: 'same-origin',
      headers: body === undefined ? { accept: 'application/json' } : { accept: 'application/json', 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { detail: 'The server does not answer. It may be restarting, or this device is offline.' });
  }
  const text = await answer.text();
  const said = /json/.test(answer.headers.get('content-type') ?? '') && text ? JSON.parse(text) : null;
  if (answer.ok) return { body: said, headers: answer.headers };
  if (answer.status === 401 && path !== 'login') whenSignedOut.forEach((tell) => tell());
  throw new Problem(answer.status, said ?? undefined);
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
