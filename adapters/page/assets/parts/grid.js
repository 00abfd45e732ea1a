/**
 * The grid of photos by month. Only rows near the window have elements; every height is known before a picture comes,
 * so nothing moves while they load. The arrow keys walk over it with one tab stop.
 */
import { pictureUrl } from '../api.js';
import { h, icon } from './dom.js';
import { justified } from './justified.js';
import { drawPlaceholder } from './thumbhash.js';
import { clockOf, companionMark, count, dayOf, fileName, lengthOf, longDayOf, monthsOf } from './words.js';

/**
 * @import { MediaRow } from '../../shapes'
 * @import { Row, Tile } from './justified.js'
 * @typedef {{ key: string, label: string, several: boolean, total?: number, photos: MediaRow[] }} Section
 *   photos under a heading; `several` says that they are of several months, `total` how many there are in all
 * @typedef {{ section: HTMLElement, body: HTMLElement, named: HTMLElement, counted: HTMLElement }} Made its elements
 * @typedef {Section & Made & { rows: Array<Row<MediaRow>>, height: number, top: number }} Month one that is laid out
 * @typedef {{ photo: MediaRow, y: number }} Anchor
 */

const HEAD = 54;
const FOOT = 26;
const AHEAD = 900;

/**
 * Months with fewer photos share a section with the month before, within a year: no heading stands over a single photo.
 */
const FEW = 6;

/** @param {{ key: string }} one @param {{ key: string }} other */
const sameYear = (one, other) => one.key.slice(0, 4) === other.key.slice(0, 4);

/**
 * Photos by month, newest first.
 * @param {MediaRow[]} photos
 * @returns {Section[]}
 */
function byMonth(photos) {
  /** @type {Array<{ key: string, until: string, photos: MediaRow[] }>} */
  const months = [];
  for (const photo of photos) {
    const key = photo.taken_at?.slice(0, 7) ?? '';
    const last = months.at(-1);
    if (last?.key === key) last.photos.push(photo);
    else months.push({ key, until: key, photos: [photo] });
  }
  /** @param {{ key: string }} month */
  const isLastOfYear = (month) => month === months.findLast((each) => sameYear(each, month));
  /** @type {typeof months} */
  const sections = [];
  for (const month of months) {
    const last = sections.at(-1);
    const isFew = (last && last.photos.length < FEW) || (month.photos.length < FEW && isLastOfYear(month));
    if (last && isFew && sameYear(last, month))
      Object.assign(last, { until: month.key, photos: last.photos.concat(month.photos) });
    else sections.push({ ...month });
  }
  return sections.map(({ key, until, photos: own }) => ({
    key,
    photos: own,
    several: key !== until,
    label: monthsOf(own[0]?.taken_at, own.at(-1)?.taken_at),
  }));
}

/** The first photo of each day has the day on its tile. @param {{ rows: Array<Row<MediaRow>> }} month */
function openDays({ rows }) {
  let day = '';
  for (const tile of rows.flatMap((row) => row.tiles)) {
    const own = tile.photo.taken_at?.slice(0, 10) ?? '';
    tile.opensDay = own !== day;
    day = own;
  }
}

export class PhotoGrid {
  /**
   * @param {(photo: MediaRow) => string} addressOf where a tile leads
   * @param {() => void} onend called when the end of what is loaded comes near
   * @param {typeof byMonth} sectionsOf photos under their headings
   */
  constructor(addressOf, onend, sectionsOf = byMonth) {
    this.addressOf = addressOf;
    this.onend = onend;
    this.sectionsOf = sectionsOf;
    /** Called with each tile as it is made. @type {(photo: MediaRow, tile: HTMLElement) => void} */
    this.ontile = () => {};
    this.element = h('div', { class: 'grid', onkeydown: (event) => this.#walk(event) });
    /** @type {MediaRow[]} */
    this.photos = [];
    /** @type {Month[]} */
    this.months = [];
    /** @type {Map<number, HTMLElement>} */
    this.tiles = new Map();
    /** The elements of each section, by its key. @type {Map<string, Made>} */
    this.sections = new Map();
    this.current = -1;
    this.width = 0;
    this.onscroll = () => this.render();
    addEventListener('scroll', this.onscroll, { passive: true });
    this.observer = new ResizeObserver(() => this.element.clientWidth !== this.width && this.show(this.photos));
    this.observer.observe(this.element);
  }

  leave() {
    removeEventListener('scroll', this.onscroll);
    this.observer.disconnect();
  }

  /** Lay out these photos; what stands at the top of the window stays there. @param {MediaRow[]} photos */
  show(photos) {
    const anchor = this.#anchor();
    const focused = this.photos[this.current];
    this.photos = photos;
    this.current = focused ? photos.indexOf(focused) : -1;
    this.width = this.element.clientWidth;
    if (!this.width) return;
    this.#layOut(this.sectionsOf(photos));
    if (anchor) this.#restore(anchor);
    this.render();
  }

  /**
   * Say where everything goes, and give each section its elements: those of before where it was there.
   * @param {Section[]} sections
   */
  #layOut(sections) {
    const target = this.width < 600 ? 118 : Math.min(250, 150 + this.width / 18);
    const old = this.sections;
    this.sections = new Map();
    let top = 0;
    this.months = sections.map((section) => {
      const { key, label, total, photos } = section;
      const { rows, height } = justified(photos, this.width, target, this.width < 600 ? 2 : 4);
      const made = old.get(key) ?? this.#section();
      old.delete(key);
      this.sections.set(key, made);
      made.named.textContent = label;
      made.section.setAttribute('aria-label', label);
      const counted = total || (section === sections.at(-1) ? 0 : photos.length);
      made.counted.textContent = counted ? count(counted, 'item') : '';
      made.body.style.setProperty('height', `${height}px`);
      const month = { ...section, ...made, rows, height, top };
      top += HEAD + height + FOOT;
      return month;
    });
    for (const month of this.months) openDays(month);
    for (const { section } of old.values()) section.remove();
    [...this.sections.values()].forEach(({ section }, index) => {
      if (this.element.children[index] !== section)
        this.element.insertBefore(section, this.element.children[index] ?? null);
    });
  }

  /** @returns {Made} */
  #section() {
    const named = h('span', {});
    const counted = h('span', { class: 'month-count' });
    const body = h('div', { class: 'month-body' });
    const section = h('section', { class: 'month' }, h('h2', { class: 'month-head' }, named, counted), body);
    return { section, body, named, counted };
  }

  /** The first photo whose row is seen, with its distance to the window's top. @returns {Anchor|null} */
  #anchor() {
    const base = this.element.getBoundingClientRect().top;
    if (base >= 0) return null;
    for (const month of this.months)
      for (const row of month.rows) {
        const y = base + month.top + HEAD + row.top;
        const [first] = row.tiles;
        if (first && y + row.height > 0) return { photo: first.photo, y };
      }
    return null;
  }

  /** @param {Anchor} anchor */
  #restore({ photo, y }) {
    const place = this.#placeOf(photo);
    if (place) scrollBy(0, this.element.getBoundingClientRect().top + place.y - y);
  }

  /** @param {MediaRow} photo */
  #placeOf(photo) {
    for (const month of this.months)
      for (const row of month.rows)
        if (row.tiles.some((tile) => tile.photo === photo)) return { row, y: month.top + HEAD + row.top };
    return null;
  }

  /** Give the rows near the window their elements and take those of others away. */
  render() {
    const base = this.element.getBoundingClientRect().top;
    const [from, until] = [-base - AHEAD, -base + innerHeight + AHEAD];
    const wanted = new Set();
    for (const month of this.months) {
      const start = month.top + HEAD;
      if (start > until || start + month.height < from) continue;
      for (const row of month.rows) {
        if (start + row.top + row.height < from || start + row.top > until) continue;
        for (const tile of row.tiles) {
          wanted.add(tile.photo.id);
          this.#place(month, row, tile);
        }
      }
    }
    const focused = document.activeElement;
    for (const [id, element] of this.tiles)
      if (!wanted.has(id) && element !== focused) {
        element.remove();
        this.tiles.delete(id);
      }
    this.#tabStop();
    const last = this.months.at(-1);
    if (last && last.top + HEAD + last.height < until + innerHeight) this.onend();
  }

  /** @param {Month} month @param {Row<MediaRow>} row @param {Tile<MediaRow>} tile */
  #place(month, row, tile) {
    let element = this.tiles.get(tile.photo.id);
    if (!element) {
      element = this.#tile(tile.photo);
      this.tiles.set(tile.photo.id, element);
    }
    const chip = element.querySelector('.day');
    if (chip) chip.textContent = tile.opensDay ? dayOf(tile.photo.taken_at, month.several) : '';
    if (element.parentNode !== month.body) month.body.append(element);
    const { style } = element;
    style.setProperty('transform', `translate(${tile.left}px, ${row.top}px)`);
    style.setProperty('width', `${tile.width}px`);
    style.setProperty('height', `${row.height}px`);
  }

  /** @param {MediaRow} photo */
  #tile(photo) {
    const blur = h('canvas', { class: 'blur', 'aria-hidden': 'true' });
    drawPlaceholder(blur, photo.placeholder);
    const name = fileName(photo.path);
    /** @type {HTMLImageElement} */
    const picture = h('img', {
      alt: '',
      decoding: 'async',
      draggable: false,
      onload: () => picture.classList.add('shown'),
      onerror: () => tile.classList.add('broken'),
      src: pictureUrl(photo, 'thumb'),
    });
    const length = photo.kind === 'video' && lengthOf(photo.duration);
    const mark = companionMark(photo);
    const said = [
      photo.kind === 'video' ? 'Video' : 'Photo',
      length,
      mark && `with ${mark}`,
      longDayOf(photo.taken_at),
      clockOf(photo.taken_at),
      name,
    ]
      .filter(Boolean)
      .join(', ');
    const tile = h(
      'a',
      {
        class: 'tile',
        href: this.addressOf(photo),
        'aria-label': said,
        title: name,
        tabIndex: -1,
        onfocus: () => this.#focused(photo),
      },
      blur,
      picture,
      h('span', { class: 'broken-name' }, name),
      h('span', { class: 'day', 'aria-hidden': 'true' }),
      photo.kind === 'video' && h('span', { class: 'film' }, icon('play'), length),
      mark && h('span', { class: 'stacked', 'aria-hidden': 'true' }, mark),
    );
    this.ontile(photo, tile);
    return tile;
  }

  /** @param {MediaRow} photo */
  #focused(photo) {
    this.current = this.photos.indexOf(photo);
    this.#tabStop();
  }

  /** Exactly one tile can be reached by Tab: the last focused one, or the first that is there. */
  #tabStop() {
    const current = this.photos[this.current];
    const stop = current && this.tiles.has(current.id) ? current : this.photos.find(({ id }) => this.tiles.has(id));
    const own = stop && this.tiles.get(stop.id);
    for (const element of this.tiles.values()) element.tabIndex = element === own ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const isTile = event.target instanceof Element && event.target.classList.contains('tile');
    if (event.altKey || event.ctrlKey || event.metaKey || !isTile) return;
    /** @type {Record<string, number>} */
    const ways = { ArrowRight: this.current + 1, ArrowLeft: this.current - 1, Home: 0, End: this.photos.length - 1 };
    const to = ways[event.key];
    if (to !== undefined) this.focus(to);
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp')
      this.focus(this.#beside(event.key === 'ArrowDown' ? 1 : -1));
    else return;
    event.preventDefault();
  }

  /** The photo above or below the current one. @param {1|-1} step */
  #beside(step) {
    const rows = this.months.flatMap((month) => month.rows);
    const photo = this.photos[this.current];
    const index = rows.findIndex((row) => row.tiles.some((tile) => tile.photo === photo));
    const row = rows[index + step];
    const own = rows[index]?.tiles.find((tile) => tile.photo === photo);
    if (!row || !own) return this.current;
    const middle = own.left + own.width / 2;
    const near = row.tiles.reduce((best, tile) =>
      Math.abs(tile.left + tile.width / 2 - middle) < Math.abs(best.left + best.width / 2 - middle) ? tile : best,
    );
    return this.photos.indexOf(near.photo);
  }

  /** Bring a photo into the window and focus it. @param {number} index */
  focus(index) {
    const photo = this.photos[index];
    const place = photo && this.#placeOf(photo);
    if (!place) return;
    const { row, y } = place;
    const top = this.element.getBoundingClientRect().top + y;
    const above = HEAD + 70;
    if (top < above) scrollBy(0, top - above);
    else if (top + row.height > innerHeight - 70) scrollBy(0, top + row.height - innerHeight + 70);
    this.current = index;
    this.render();
    this.tiles.get(photo.id)?.focus({ preventScroll: true });
  }
}
