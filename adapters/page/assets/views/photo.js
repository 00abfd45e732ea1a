/** One photo, large: its faces, what is known of it, and the ways to its neighbours. */
import { get, pictureUrl } from '../api.js';
import { listOf, narrowingOf } from '../photolist.js';
import { back, rename, to } from '../router.js';
import { detailsPanel } from '../parts/details.js';
import { fill, h, icon, iconButton } from '../parts/dom.js';
import { filmOf, playOrPause } from '../parts/film.js';
import { FaceLayer } from '../parts/facelayer.js';
import { afterUndo, complain } from '../parts/toast.js';
import { drawPlaceholder } from '../parts/thumbhash.js';
import { clockOf, fileName, longDayOf } from '../parts/words.js';

/**
 * @import { MediaRow } from '../../shapes'
 * @import { Located } from '../api.js'
 * @import { Place, View } from '../router.js'
 * @typedef {Located & Partial<MediaRow>} Opened what is known of it: no more than the address says at first
 */

const SWIPE = 56;
const kept = { faces: true, details: matchMedia('(min-width: 1100px)').matches };

/**
 * @param {Place} place
 * @returns {View}
 */
export function photo({ query }) {
  return new PhotoView(query).view();
}

class PhotoView {
  /** @param {URLSearchParams} query */
  constructor(query) {
    this.query = query;
    this.list = listOf(query);
    /** @type {Opened} */
    this.at = { path: query.get('file') ?? '', library_id: Number(query.get('of')) };
    this.index = -1;
    this.faces = new FaceLayer(this.at, () => this.#load());
    this.details = detailsPanel();
    this.heading = h('h1', { class: 'viewer-title', tabIndex: -1 });
    this.under = h('p', { class: 'viewer-under' });
    this.picture = h('div', { class: 'picture' });
    this.stage = h('div', { class: 'stage' }, this.picture);
    this.previous = iconButton('left', 'Previous photo (left arrow)', () => this.step(-1), {
      class: 'icon-button step before',
    });
    this.next = iconButton('right', 'Next photo (right arrow)', () => this.step(1), {
      class: 'icon-button step after',
    });
    this.facesButton = iconButton('face', 'Show faces (f)', () => this.toggle('faces'));
    this.drawButton = iconButton('draw', 'Draw a face (d)', () => this.draw());
    this.motionButton = iconButton('play', 'Play the moving photo (m)', () => this.playMotion(), {
      class: 'icon-button',
      hidden: true,
    });
    this.detailsButton = iconButton('details', 'Details (i)', () => this.toggle('details'));
    this.original = h('a', {
      class: 'icon-button',
      'aria-label': 'Open the original file',
      title: 'Open the original file',
      target: '_blank',
      rel: 'noopener',
    });
    this.element = this.#frame();
    this.faces.drawing = (on) => this.drawButton.setAttribute('aria-pressed', String(on));
  }

  #frame() {
    const close = iconButton('back', 'Back (Esc)', () => this.close());
    this.original.append(icon('download'));
    this.#swipe();
    return h(
      'main',
      { id: 'main', class: 'viewer', tabIndex: -1 },
      h(
        'header',
        { class: 'viewer-bar' },
        close,
        h('div', { class: 'viewer-words' }, this.heading, this.under),
        this.motionButton,
        this.facesButton,
        this.drawButton,
        this.detailsButton,
        this.original,
      ),
      h(
        'div',
        { class: 'viewer-room' },
        h('div', { class: 'stage-room' }, this.stage, this.previous, this.next),
        this.details.element,
      ),
    );
  }

  /** @returns {View} */
  view() {
    /** @param {KeyboardEvent} event */
    const keys = (event) => this.#key(event);
    const fit = new ResizeObserver(() => this.#fit());
    const again = () => this.#load();
    return {
      title: fileName(this.at.path),
      bare: true,
      element: this.element,
      enter: () => {
        addEventListener('keydown', keys);
        afterUndo.add(again);
        fit.observe(this.stage);
        this.#toggles();
        this.open();
        this.heading.focus({ preventScroll: true });
      },
      leave: () => {
        removeEventListener('keydown', keys);
        afterUndo.delete(again);
        fit.disconnect();
        this.faces.leave();
        this.details.clear();
        this.list.opened = this.index;
      },
    };
  }

  async open() {
    this.#show(this.list.items[this.list.indexOf(this.at.library_id, this.at.path)] ?? this.at);
    this.#load();
    try {
      this.index = await this.list.find(this.at.library_id, this.at.path);
    } catch (problem) {
      complain(problem);
    }
    const found = this.list.items[this.index];
    if (found) Object.assign(this.at, found);
    this.#asFilm();
    this.#fit();
    this.#ways();
  }

  /**
   * The picture itself: the placeholder at once, then the thumbnail that is likely in the cache, then the preview.
   * @param {Opened} photo
   */
  #show(photo) {
    this.at = { ...photo };
    this.#title();
    this.#paint(photo);
    this.faces.clear(photo);
    this.details.clear();
    this.#fit();
  }

  /** @param {Opened} photo */
  #paint(photo) {
    const name = fileName(photo.path);
    this.original.href = pictureUrl(photo, 'full');
    const blur = h('canvas', { class: 'blur', 'aria-hidden': 'true' });
    drawPlaceholder(blur, photo.placeholder);
    /** @param {{ currentTarget: HTMLImageElement }} event */
    const shown = (event) => event.currentTarget.classList.add('shown');
    const large =
      photo.kind === 'video'
        ? filmOf(photo, () => this.picture.classList.add('broken'))
        : h('img', {
            class: 'large',
            alt: `Photo ${name}`,
            draggable: false,
            onload: (event) => {
              shown(event);
              if (!this.at.width) this.#measure(event.currentTarget);
            },
            onerror: () => this.picture.classList.add('broken'),
            src: pictureUrl(photo, 'preview'),
          });
    this.picture.classList.remove('broken');
    fill(
      this.picture,
      blur,
      h('img', { class: 'small', alt: '', draggable: false, onload: shown, src: pictureUrl(photo, 'thumb') }),
      large,
      h(
        'p',
        { class: 'broken-word' },
        photo.kind === 'video' ? 'This browser cannot play this video.' : 'This file cannot be shown here.',
      ),
      photo.kind !== 'video' && this.faces.element,
    );
    for (const button of [this.facesButton, this.drawButton]) button.hidden = photo.kind === 'video';
    this.motionButton.hidden = !photo.motion;
  }

  /** By an address alone nobody knows that it is a video. */
  #asFilm() {
    if (this.at.kind === 'video' && !this.picture.querySelector('.film')) this.#paint(this.at);
  }

  #title() {
    const { path, taken_at: taken } = this.at;
    const name = fileName(path);
    document.title = `${name} · imageapi`;
    this.heading.textContent = taken ? longDayOf(taken) : name;
    this.under.textContent = taken ? `${clockOf(taken)} · ${name}` : '';
  }

  /** @param {HTMLImageElement} picture */
  #measure(picture) {
    this.at.width = picture.naturalWidth;
    this.at.height = picture.naturalHeight;
    this.#fit();
  }

  async #load() {
    const { path, library_id } = this.at;
    const same = () => this.at.path === path && this.at.library_id === library_id;
    const place = { path, library: library_id };
    this.details.showTags(place);
    this.details.showInsight(place);
    this.details.showKnown(place);
    try {
      const [faces, metadata] = await Promise.all([get('image/faces', place), get('image/metadata', place)]);
      if (!same()) return;
      this.faces.show(faces.items);
      this.details.fill(metadata, faces.items);
      if (!this.at.width && metadata.width) Object.assign(this.at, { width: metadata.width, height: metadata.height });
      Object.assign(this.at, { kind: metadata.kind, video_codec: metadata.video_codec, motion: metadata.motion });
      this.motionButton.hidden = !metadata.motion;
      this.#asFilm();
      this.at.taken_at ??= metadata.taken_at;
      this.#title();
      this.#fit();
    } catch (problem) {
      if (same()) complain(problem);
    }
  }

  /** As large as the stage allows, so that boxes in per cent lie where they belong. */
  #fit() {
    const { clientWidth, clientHeight } = this.stage;
    const [width, height] = this.at.width && this.at.height ? [this.at.width, this.at.height] : [4, 3];
    const scale = Math.min(clientWidth / width, clientHeight / height);
    this.picture.style.setProperty('width', `${Math.round(width * scale)}px`);
    this.picture.style.setProperty('height', `${Math.round(height * scale)}px`);
  }

  #ways() {
    const { items } = this.list;
    this.previous.hidden = !(this.index > 0);
    this.next.hidden = this.index < 0 || (this.index === items.length - 1 && this.list.complete);
    for (const photo of [items[this.index + 1], items[this.index - 1]])
      if (photo && photo.kind !== 'video') new Image().src = pictureUrl(photo, 'preview');
  }

  /** @param {1|-1} by */
  async step(by) {
    if (this.index < 0) return;
    if (this.index + by >= this.list.items.length) await this.list.more().catch(complain);
    const photo = this.list.items[this.index + by];
    if (!photo) return;
    this.index += by;
    rename(to('photo', '', { file: photo.path, of: photo.library_id, ...narrowingOf(this.query) }));
    this.#show(photo);
    this.#load();
    this.#ways();
  }

  close() {
    back(to('photos', '', narrowingOf(this.query)));
  }

  /** @param {'faces'|'details'} what */
  toggle(what) {
    kept[what] = !kept[what];
    this.#toggles();
  }

  #toggles() {
    this.element.classList.toggle('without-faces', !kept.faces);
    this.element.classList.toggle('with-details', kept.details);
    this.facesButton.setAttribute('aria-pressed', String(kept.faces));
    this.detailsButton.setAttribute('aria-pressed', String(kept.details));
    this.details.element.inert = !kept.details;
    this.#fit();
  }

  /** The video in a photo, once, in its place; again to stop it. */
  playMotion() {
    const playing = this.picture.querySelector('.motion');
    if (playing) return playing.remove();
    const film = filmOf(this.at, () => film.remove());
    film.classList.replace('film', 'motion');
    film.addEventListener('ended', () => film.remove());
    film.autoplay = true;
    this.picture.append(film);
  }

  draw() {
    if (!kept.faces) this.toggle('faces');
    this.faces.draw(!this.faces.isDrawing);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || document.querySelector('dialog[open]')) return;
    const at = event.target instanceof Element ? event.target.tagName : '';
    if (/^(INPUT|TEXTAREA|SELECT|VIDEO)$/.test(at)) return;
    /** @type {Record<string, (() => void)|null>} */
    const actions = {
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      Escape: () => (this.faces.isDrawing ? this.faces.draw(false) : this.close()),
      f: () => this.toggle('faces'),
      i: () => this.toggle('details'),
      d: () => this.draw(),
      m: this.motionButton.hidden ? null : () => this.playMotion(),
    };
    const film = this.picture.querySelector('video');
    if (film?.classList.contains('film'))
      Object.assign(actions, {
        f: null,
        d: null,
        ' ': /^(BUTTON|A)$/.test(at) ? null : () => playOrPause(film),
      });
    const act = actions[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #swipe() {
    /** @type {PointerEvent|null} */
    let start = null;
    this.stage.addEventListener('pointerdown', (event) => {
      start = event.pointerType === 'touch' && event.isPrimary && !this.faces.isDrawing ? event : null;
    });
    this.stage.addEventListener('pointercancel', () => {
      start = null;
    });
    this.stage.addEventListener('pointerup', (event) => {
      if (!start) return;
      const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
      start = null;
      if (Math.abs(x) > SWIPE && Math.abs(x) > 1.5 * Math.abs(y)) this.step(x < 0 ? 1 : -1);
      else if (y > 2 * SWIPE && y > 2 * Math.abs(x)) this.close();
    });
  }
}
