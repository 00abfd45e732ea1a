/**
 * The grid of photos by month. Only rows near the window have elements; every height is known before a picture comes, so
 * nothing moves while they load. The arrow keys walk over it with one tab stop.
 */
import { pictureUrl } from '../api.js';
import { h, icon } from './dom.js';
import { justified } from './justified.js';
import { drawPlaceholder } from './thumbhash.js';
import { clockOf, companionMark, count, dayOf, fileName, lengthOf, longDayOf, monthsOf } from './words.js';

/** @typedef {import('../photolist.js').Photo} Photo */

const HEAD = 54;
const FOOT = 26;
const AHEAD = 900;

/** Months with fewer photos share a section with the month before, within a year: no heading stands over a single photo. */
const FEW = 6;

const sameYear = (one, other) => one.key.slice(0, 4) === other.key.slice(0, 4);

/**
 * Photos by month, newest first.
 * @param {Photo[]} photos
 * @returns {Array<{key: string, label: string, several: boolean, photos: Photo[]}>}
 */
function byMonth(photos) {
  const months = [];
  for (const photo of photos) {
    const key = photo.taken_at?.slice(0, 7) ?? '';
    if (months.at(-1)?.key === key) months.at(-1).photos.push(photo);
    else months.push({ key, until: key, photos: [photo] });
  }
  const sections = [];
  for (const month of months) {
    const last = sections.at(-1);
    const isFew =
      last?.photos.length < FEW ||
      (month.photos.length < FEW && month === months.findLast((each) => sameYear(each, month)));
    if (last && isFew && sameYear(last, month))
      Object.assign(last, { until: month.key, photos: last.photos.concat(month.photos) });
    else sections.push({ ...month });
  }
  return sections.map((each) => ({
    ...each,
    several: each.key !== each.until,
    label: monthsOf(each.photos[0].taken_at, each.photos.at(-1).taken_at),
  }));
}

export class PhotoGrid {
  /**
   * @param {(photo: Photo) => string} addressOf where a tile leads
   * @param {() => void} onend called when the end of what is loaded comes near
   * @param {typeof byMonth} sectionsOf photos under their headings
   */
  constructor(addressOf, onend, sectionsOf = byMonth) {
    this.addressOf = addressOf;
    this.onend = onend;
    this.sectionsOf = sectionsOf;
    /** Called with each tile as it is made. @type {(photo: Photo, tile: HTMLElement) => void} */
    this.ontile = () => {};
    this.element = h('div', { class: 'grid', onkeydown: (event) => this.#walk(event) });
    /** @type {Photo[]} */
    this.photos = [];
    /** @type {Array<{key: string, label: string, several: boolean, photos: Photo[], rows: any[], height: number, top: number, section: HTMLElement, body: HTMLElement}>} */
    this.months = [];
    /** @type {Map<number, HTMLElement>} */
    this.tiles = new Map();
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

  /** Lay out these photos; what stands at the top of the window stays there. @param {Photo[]} photos */
  show(photos) {
    const anchor = this.#anchor();
    const focused = this.photos[this.current];
    this.photos = photos;
    this.current = focused ? photos.indexOf(focused) : -1;
    this.width = this.element.clientWidth;
    if (!this.width) return;
    this.months = this.sectionsOf(photos);
    const target = this.width < 600 ? 118 : Math.min(250, 150 + this.width / 18);
    let top = 0;
    for (const month of this.months) {
      Object.assign(month, justified(month.photos, this.width, target, this.width < 600 ? 2 : 4), { top });
      top += HEAD + month.height + FOOT;
      let day = '';
      for (const tile of month.rows.flatMap((row) => row.tiles)) {
        tile.opensDay = tile.photo.taken_at?.slice(0, 10) !== day;
        day = tile.photo.taken_at?.slice(0, 10);
      }
    }
    this.#sections();
    if (anchor) this.#restore(anchor);
    this.render();
  }

  #sections() {
    const old = this.sections;
    this.sections = new Map();
    for (const month of this.months) {
      const { key, label } = month;
      const made = old.get(key) ?? this.#section();
      old.delete(key);
      this.sections.set(key, made);
      Object.assign(month, made);
      made.named.textContent = label;
      made.section.setAttribute('aria-label', label);
      made.counted.textContent = month.total
        ? count(month.total, 'item')
        : month === this.months.at(-1)
          ? ''
          : count(month.photos.length, 'item');
      made.body.style.setProperty('height', `${month.height}px`);
    }
    for (const { section } of old.values()) section.remove();
    [...this.sections.values()].forEach(({ section }, index) => {
      if (this.element.children[index] !== section)
        this.element.insertBefore(section, this.element.children[index] ?? null);
    });
  }

  #section() {
    const named = h('span', {});
    const counted = h('span', { class: 'month-count' });
    const body = h('div', { class: 'month-body' });
    const section = h('section', { class: 'month' }, h('h2', { class: 'month-head' }, named, counted), body);
    return { section, body, named, counted };
  }

  /** The first photo whose row is seen, with its distance to the window's top. */
  #anchor() {
    const base = this.element.getBoundingClientRect().top;
    if (base >= 0) return null;
    for (const month of this.months)
      for (const row of month.rows) {
        const y = base + month.top + HEAD + row.top;
        if (y + row.height > 0) return { photo: row.tiles[0].photo, y };
      }
    return null;
  }

  #restore({ photo, y }) {
    const place = this.#placeOf(photo);
    if (place) scrollBy(0, this.element.getBoundingClientRect().top + place.y - y);
  }

  /** @param {Photo} photo */
  #placeOf(photo) {
    for (const month of this.months)
      for (const row of month.rows)
        if (row.tiles.some((tile) => tile.photo === photo)) return { month, row, y: month.top + HEAD + row.top };
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

  #place(month, row, tile) {
    let element = this.tiles.get(tile.photo.id);
    if (!element) {
      element = this.#tile(tile.photo);
      this.tiles.set(tile.photo.id, element);
    }
    const chip = element.querySelector('.day');
    chip.textContent = tile.opensDay ? dayOf(tile.photo.taken_at, month.several) : '';
    if (element.parentNode !== month.body) month.body.append(element);
    const { style } = element;
    style.setProperty('transform', `translate(${tile.left}px, ${row.top}px)`);
    style.setProperty('width', `${tile.width}px`);
    style.setProperty('height', `${row.height}px`);
  }

  /** @param {Photo} photo */
  #tile(photo) {
    const blur = h('canvas', { class: 'blur', 'aria-hidden': 'true' });
    drawPlaceholder(blur, photo.placeholder);
    const name = fileName(photo.path);
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

  #focused(photo) {
    this.current = this.photos.indexOf(photo);
    this.#tabStop();
  }

  /** Exactly one tile can be reached by Tab: the last focused one, or the first that is there. */
  #tabStop() {
    const own =
      this.tiles.get(this.photos[this.current]?.id) ??
      this.tiles.get(this.photos.find((photo) => this.tiles.has(photo.id))?.id);
    for (const element of this.tiles.values()) element.tabIndex = element === own ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !event.target.classList.contains('tile')) return;
    const to = { ArrowRight: this.current + 1, ArrowLeft: this.current - 1, Home: 0, End: this.photos.length - 1 }[
      event.key
    ];
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
    if (!row) return this.current;
    const own = rows[index].tiles.find((tile) => tile.photo === photo);
    const middle = own.left + own.width / 2;
    const near = row.tiles.reduce((best, tile) =>
      Math.abs(tile.left + tile.width / 2 - middle) < Math.abs(best.left + best.width / 2 - middle) ? tile : best,
    );
    return this.photos.indexOf(near.photo);
  }

  /** Bring a photo into the window and focus it. @param {number} index */
  focus(index) {
    const photo = this.photos[index];
    if (!photo) return;
    const { row, y } = this.#placeOf(photo);
    const top = this.element.getBoundingClientRect().top + y;
    const above = HEAD + 70;
    if (top < above) scrollBy(0, top - above);
    else if (top + row.height > innerHeight - 70) scrollBy(0, top + row.height - innerHeight + 70);
    this.current = index;
    this.render();
    this.tiles.get(photo.id)?.focus({ preventScroll: true });
  }
}
