/**
 * Lists of photos as the server pages them, shared by the grid and by the photo that is open, and kept while the page lives
 * so that going back is immediate.
 */
import { get } from './api.js';

/**
 * @typedef {{id: number, library_id: number, path: string, kind: string, width: number|null, height: number|null,
 *   duration: number|null, video_codec: string|null, taken_at: string|null, placeholder: string|null,
 *   format: string|null, motion?: boolean, companions?: import('./parts/words.js').Companion[]}} Photo
 */

const PAGE = 200;

export class PhotoList {
  /** @param {Object<string, any>} filter parameters of `GET /photos`, or with `by=meaning` of `GET /photos/search` */
  constructor({ by, ...filter }) {
    this.filter = filter;
    this.byMeaning = by === 'meaning';
    /** How far search by meaning is where it is not done. @type {{done: number, total: number}|null} */
    this.embedding = null;
    /** @type {Photo[]} */
    this.items = [];
    /** @type {number|null} */
    this.total = null;
    this.scroll = 0;
    this.complete = false;
    this.cursor = undefined;
    this.loading = null;
    this.known = new Set();
  }

  /** Load the next page; callers at the same time share one request. @returns {Promise<void>} */
  more() {
    if (this.complete) return Promise.resolve();
    this.loading ??= this.#next().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  async #next() {
    const page = await get(this.byMeaning ? 'photos/search' : 'photos', {
      ...this.filter,
      limit: PAGE,
      cursor: this.cursor,
    });
    this.embedding = page.embedding ?? null;
    this.cursor = page.next_cursor;
    this.complete = !page.next_cursor;
    this.total = page.total ?? this.total;
    this.#take(page.items);
  }

  /** @param {Photo[]} photos */
  #take(photos) {
    for (const photo of photos)
      if (!this.known.has(photo.id)) {
        this.known.add(photo.id);
        this.items.push(photo);
      }
  }

  /**
   * Take in what was discovered since, where it lies within what is loaded. Answers how many photos came.
   * @returns {Promise<number>}
   */
  async refresh() {
    const before = this.items.length;
    if (this.loading) await this.loading;
    const last = this.items.at(-1);
    if (last && this.byMeaning) return 0; // what is looked at stays where it is
    if (last) await this.#discovered((photo) => this.complete || inOrder(photo, last) < 0);
    else {
      Object.assign(this, { cursor: undefined, complete: false });
      await this.more();
    }
    return this.items.length - before;
  }

  /** @param {(photo: Photo) => boolean} belongs */
  async #discovered(belongs) {
    let cursor;
    for (;;) {
      const page = await get('photos', { ...this.filter, sort: 'discovered', limit: PAGE, cursor });
      this.total = page.total ?? this.total;
      const fresh = page.items.filter((photo) => !this.known.has(photo.id));
      this.#take(fresh.filter(belongs));
      this.#giveWay(fresh);
      cursor = page.next_cursor;
      if (!fresh.length || !cursor) break;
    }
    this.items.sort(inOrder);
  }

  /** What stood alone until the photo of its name came is that photo's companion now. @param {Photo[]} fresh */
  #giveWay(fresh) {
    const behind = new Set(fresh.flatMap((photo) => photo.companions ?? []).map((companion) => companion.id));
    if (behind.size) this.items = this.items.filter((photo) => !behind.has(photo.id));
  }

  /** Where a photo stands in the list, -1 where it is not (yet) there. @param {number} libraryId @param {string} path */
  indexOf(libraryId, path) {
    return this.items.findIndex((photo) => photo.library_id === libraryId && photo.path === path);
  }

  /**
   * Load on until the photo is there.
   * @param {number} libraryId @param {string} path @param {number} [most] photos to look through
   * @returns {Promise<number>} its index, -1 where it was not among them
   */
  async find(libraryId, path, most = 4000) {
    for (;;) {
      const index = this.indexOf(libraryId, path);
      if (index >= 0 || this.complete || this.items.length >= most) return index;
      await this.more();
    }
  }
}

/** Newest first, as the server sorts. @param {Photo} one @param {Photo} other */
function inOrder(one, other) {
  const [a, b] = [one, other].map((photo) => /^[\d-]+T[\d:.]+/.exec(photo.taken_at ?? '')?.[0] ?? '');
  if (a !== b) return a < b ? 1 : -1;
  return other.id - one.id;
}

/** @type {Map<string, PhotoList>} */
const lists = new Map();

/** The parameters of an address that narrow a list of photos. */
const NARROWING = ['q', 'by', 'kind', 'library', 'path', 'persons', 'tags', 'recursive', 'from', 'to'];

/** The part of an address that narrows a list of photos. @param {URLSearchParams} query */
export const narrowingOf = (query) =>
  Object.fromEntries(
    NARROWING.map((name) => [name, query.get(name)]).filter(
      ([name, value]) => value && (name !== 'by' || query.get('q')),
    ),
  );

/** The list behind an address; the newest few lists are kept. @param {URLSearchParams} query */
export function listOf(query) {
  const filter = narrowingOf(query);
  const key = JSON.stringify(filter);
  const list = lists.get(key) ?? new PhotoList(filter);
  lists.delete(key);
  lists.set(key, list);
  if (lists.size > 6) lists.delete(lists.keys().next().value);
  return list;
}

/** Forget every list, as when someone else signs in. */
export const forgetLists = () => lists.clear();
