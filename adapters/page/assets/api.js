/**
 * The one place that speaks HTTP. Every call goes to the public API of the host that served this page, with its cookie.
 * What a route takes and answers stands in shapes.d.ts, which is made from what the server declares.
 */

/** @import { FieldError, OperationInTheWay, Rehearsal, Routes, TurnResult } from '../shapes' */

/**
 * @typedef {string|number|boolean|null|undefined} Value of a parameter
 * @typedef {Record<string, Value|Value[]>} Query
 * @typedef {keyof Routes} Method
 * @typedef {keyof Routes['GET'] & string} Readable a route that can be read
 */
/**
 * The paths of a method.
 * @template {Method} M
 * @typedef {keyof Routes[M] & string} PathOf
 */
/**
 * What a route answers as JSON.
 * @template {Method} M
 * @template {PathOf<M>} P
 * @typedef {Routes[M][P] extends { answer: infer Answer } ? Answer : never} AnswerOf
 */
/**
 * What a route reads of the query.
 * @template {Method} M
 * @template {PathOf<M>} P
 * @typedef {Routes[M][P] extends { query: infer Name extends string }
 *   ? { [name in Name]?: Value|Value[] } : {}} QueryOf
 */
/**
 * What is sent along: a body where the route takes one.
 * @template {Method} M
 * @template {PathOf<M>} P
 * @typedef {{ query?: QueryOf<M, P>, signal?: AbortSignal } & Sent<Routes[M][P]>} Given
 */
/**
 * @template Route
 * @typedef {Route extends { body: infer Body } ? { body: Body } : { body?: undefined }} Sent
 */
/**
 * The paths of a method whose writes can be rehearsed.
 * @template {Method} M
 * @typedef {{ [P in PathOf<M>]: Routes[M][P] extends { rehearses: true } ? P : never }[PathOf<M>]} RehearsedOf
 */
/**
 * A row of the list that a route answers.
 * @template {Readable} P
 * @typedef {AnswerOf<'GET', P> extends { items: Array<infer Row> } ? Row : never} RowOf
 */
/**
 * An answer with its headers.
 * @template Body
 * @typedef {{ body: Body, headers: Headers }} Answered
 */
/**
 * What is heard of a turn while a model answers.
 * @typedef {{ kind: 'begun', data: Headers }
 *   | { kind: 'text' | 'notice', data: { text: string } }
 *   | { kind: 'tool_call', data: { id: string, name: string, arguments: unknown } }
 *   | { kind: 'tool_result', data: { id: string, name: string, result: unknown, failed: boolean } }
 *   | { kind: 'error', data: { detail: string } }
 *   | { kind: 'done', data: TurnResult }} Heard
 */

/**
 * What a problem says.
 * @typedef {object} ProblemBody
 * @property {string} [title]
 * @property {string} [type]
 * @property {string | null} [detail]
 * @property {FieldError[]} [errors]
 * @property {OperationInTheWay[]} [operations]
 */

const JSON_ONLY = 'application/json';

/** An answer that is not 2xx, in the server's own words, or the lack of any answer. */
export class Problem extends Error {
  /**
   * @param {number} status 0 where the server did not answer
   * @param {ProblemBody} [body]
   */
  constructor(status, body = {}) {
    const detail = body.detail ?? body.title ?? `The server answered ${status}.`;
    const fields = (body.errors ?? [])
      .filter((each) => !detail.includes(each.message))
      .map((each) => `${each.field}: ${each.message}`);
    super(sentence([detail, ...fields].join(' · ')));
    this.status = status;
    this.title = body.title ?? '';
    /** What kind of problem it is, as the server's docs have it: `name-taken`. */
    this.kind = (body.type ?? '').replace(/^.*#/, '');
    /** What would have to be taken back first, where an undo was refused. */
    this.operations = body.operations ?? [];
  }
}

/** @param {string} text */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Whether a request failed with this status. @param {unknown} problem @param {number} status */
export const isStatus = (problem, status) => problem instanceof Problem && problem.status === status;

/** Whether a request was abandoned, which is nobody's fault. @param {unknown} problem */
export const isAbort = (problem) => problem instanceof DOMException && problem.name === 'AbortError';

/** What went wrong, in words. @param {unknown} problem */
export const wordsOf = (problem) => (problem instanceof Error ? problem.message : String(problem));

/** Told once whenever the server no longer knows who we are. @type {Set<() => void>} */
export const whenSignedOut = new Set();

/**
 * The URL of a route below the page's own; undefined and empty parameters are left out, lists are repeated.
 * @param {string} path without a leading slash
 * @param {Query} [query]
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
 * @param {{ query?: Query, body?: unknown, signal?: AbortSignal }} given
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
    if (isAbort(error)) throw error;
    throw new Problem(0, { detail: 'The server does not answer. It may be restarting, or this device is offline.' });
  }
}

/**
 * @param {Response} answer
 * @param {string} path
 * @returns {Promise<any>} its JSON, null where it has none: here, and nowhere else, the server is taken at its word
 */
async function said(answer, path) {
  const text = await answer.text();
  const body = /json/.test(answer.headers.get('content-type') ?? '') && text ? JSON.parse(text) : null;
  if (answer.ok) return body;
  if (answer.status === 401 && path !== 'login') whenSignedOut.forEach((tell) => tell());
  throw new Problem(answer.status, body ?? undefined);
}

/**
 * Ask, and give the answer's JSON with its headers.
 * @template {Method} M
 * @template {PathOf<M>} P
 * @param {M} method
 * @param {P} path
 * @param {Given<M, P>} given
 * @returns {Promise<Answered<AnswerOf<M, P>>>}
 * @throws {Problem}
 */
export async function ask(method, path, given) {
  const answer = await send(method, path, given, JSON_ONLY);
  return { body: await said(answer, path), headers: answer.headers };
}

/**
 * What a write would change; it changes nothing.
 * @template {Method} M
 * @template {RehearsedOf<M>} P
 * @param {M} method
 * @param {P} path
 * @param {Given<M, P>} given
 * @returns {Promise<Rehearsal>}
 * @throws {Problem}
 */
export async function rehearse(method, path, given) {
  const query = { ...given.query, dry_run: true };
  return said(await send(method, path, { ...given, query }, JSON_ONLY), path);
}

/**
 * Ask, and give the server-sent events of the answer as they come; the first one is `begun`, with the headers.
 * @param {'GET'|'POST'} method
 * @param {'insights/chat/stream'} path
 * @param {{ query?: Query, body?: unknown, signal?: AbortSignal }} given
 * @returns {AsyncGenerator<Heard>}
 * @throws {Problem} also where the answer ends in the middle of an event
 */
export async function* listen(method, path, given) {
  const answer = await send(method, path, given, 'text/event-stream');
  if (!answer.ok) await said(answer, path);
  yield { kind: 'begun', data: answer.headers };
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  for (;;) {
    const { value, done } = await reader.read();
    const blocks = (held + (value ?? '')).split('\n\n');
    held = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      const kind = fields.get('event');
      if (kind) yield /** @type {Heard} */ ({ kind, data: JSON.parse(fields.get('data') ?? '') });
    }
    if (done) break;
  }
  if (held.trim()) throw new Problem(0, { detail: 'The connection broke off.' });
}

/**
 * What a route answers.
 * @template {Readable} P
 * @param {P} path
 * @param {QueryOf<'GET', P>} [query]
 * @param {AbortSignal} [signal]
 * @returns {Promise<AnswerOf<'GET', P>>}
 */
export const get = async (path, query, signal) => said(await send('GET', path, { query, signal }, JSON_ONLY), path);

/**
 * Every item of a paged list, at most `most`.
 * @template {Readable} P
 * @param {P} path
 * @param {QueryOf<'GET', P>} [query]
 * @param {number} [most]
 * @returns {Promise<Array<RowOf<P>>>}
 */
export async function getAll(path, query, most = 5000) {
  /** @type {Array<RowOf<P>>} */
  const items = [];
  /** @type {string|null} */
  let cursor = null;
  do {
    const page = await said(await send('GET', path, { query: { limit: 500, ...query, cursor } }, JSON_ONLY), path);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < most);
  return items;
}

/**
 * @typedef {{ path: string, library_id: number }} Located a file, as the API tells of one
 * @typedef {{ path: string, library: number }} Address a file, as the API is asked about one
 */

/** The picture of a photo. @param {Located} photo @param {'full'|'preview'|'thumb'} size */
export const pictureUrl = (photo, size) => urlOf('image', { path: photo.path, library: photo.library_id, size });

/** A face as a square JPEG. @param {number} faceId @param {number} [size] pixels */
export const cropUrl = (faceId, size = 192) => urlOf(`image/faces/${faceId}/crop`, { size });
