/**
 * Lists of photos as the server pages them, shared by the grid and by the photo that is open, and kept while the page
 * lives so that going back is immediate.
 */
import { get } from './api.js';

/**
 * @import { FoundPhotos, MediaRow, Photos } from '../shapes'
 * @typedef {Partial<Record<typeof NARROWING[number], string>>} Narrowing
 */

const PAGE = 200;

export class PhotoList {
  /** @param {Narrowing} narrowing parameters of `GET /photos`, or with `by=meaning` of `GET /photos/search` */
  constructor(narrowing) {
    const { by, ...filter } = narrowing;
    this.filter = filter;
    this.byMeaning = by === 'meaning';
    /** How far search by meaning is where it is not done. @type {FoundPhotos['embedding']} */
    this.embedding = null;
    /** @type {MediaRow[]} */
    this.items = [];
    /** @type {number|null} */
    this.total = null;
    this.scroll = 0;
    this.complete = false;
    /** @type {string|null} */
    this.cursor = null;
    /** @type {Promise<void>|null} */
    this.loading = null;
    /** @type {Set<number>} */
    this.known = new Set();
    /** The photo that was open last, for the grid to go back to; -1 where there is none. */
    this.opened = -1;
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
    /** @type {Photos|FoundPhotos} */
    const page = await get(this.byMeaning ? 'photos/search' : 'photos', {
      ...this.filter,
      limit: PAGE,
      cursor: this.cursor,
    });
    this.embedding = 'embedding' in page ? page.embedding : null;
    this.cursor = page.next_cursor;
    this.complete = !page.next_cursor;
    if ('total' in page) this.total = page.total ?? this.total;
    this.#take(page.items);
  }

  /** @param {MediaRow[]} photos */
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
      Object.assign(this, { cursor: null, complete: false });
      await this.more();
    }
    return this.items.length - before;
  }

  /** @param {(photo: MediaRow) => boolean} belongs */
  async #discovered(belongs) {
    /** @type {string|null} */
    let cursor = null;
    for (;;) {
      /** @type {Photos} */
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

  /** What stood alone until the photo of its name came is that photo's companion now. @param {MediaRow[]} fresh */
  #giveWay(fresh) {
    const behind = new Set(fresh.flatMap((photo) => photo.companions ?? []).map((companion) => companion.id));
    if (behind.size) this.items = this.items.filter((photo) => !behind.has(photo.id));
  }

  /**
   * Where a photo stands in the list, -1 where it is not (yet) there.
   * @param {number} libraryId @param {string} path
   */
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

/** Newest first, as the server sorts. @param {MediaRow} one @param {MediaRow} other */
function inOrder(one, other) {
  /** @param {MediaRow} photo */
  const clock = (photo) => /^[\d-]+T[\d:.]+/.exec(photo.taken_at ?? '')?.[0] ?? '';
  const [a, b] = [clock(one), clock(other)];
  if (a !== b) return a < b ? 1 : -1;
  return other.id - one.id;
}

/** @type {Map<string, PhotoList>} */
const lists = new Map();

/** The parameters of an address that narrow a list of photos. */
const NARROWING = /** @type {const} */ ([
  'q',
  'by',
  'kind',
  'library',
  'path',
  'persons',
  'tags',
  'recursive',
  'from',
  'to',
]);

/** The part of an address that narrows a list of photos. @param {URLSearchParams} query */
export function narrowingOf(query) {
  /** @type {Narrowing} */
  const found = {};
  for (const name of NARROWING) {
    const value = query.get(name);
    if (value && (name !== 'by' || query.get('q'))) found[name] = value;
  }
  return found;
}

/** The list behind an address; the newest few lists are kept. @param {URLSearchParams} query */
export function listOf(query) {
  const filter = narrowingOf(query);
  const key = JSON.stringify(filter);
  const list = lists.get(key) ?? new PhotoList(filter);
  lists.delete(key);
  lists.set(key, list);
  const [oldest] = lists.keys();
  if (lists.size > 6 && oldest !== undefined) lists.delete(oldest);
  return list;
}

/** Forget every list, as when someone else signs in. */
export const forgetLists = () => lists.clear();
