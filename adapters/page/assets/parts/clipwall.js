/**
 * Lets the tiles of videos that are in the window play a short silent loop. Clips are made when somebody looks: until
 * one is ready its tile shows the poster. Who asked the system for less motion sees a clip move only under the pointer
 * or the focus.
 */
import { ask, urlOf } from '../api.js';
import { h } from './dom.js';
import { complain } from './toast.js';

/**
 * @import { ClipRow, MediaRow } from '../../shapes'
 * @typedef {{ photo: MediaRow, clip: HTMLVideoElement|null, failed: boolean }} Seen a tile in the window
 */

const AGAIN_MS = 2000;
/** Videos that move at once: as many as browsers decode with ease. */
const mostAtOnce = () => (matchMedia('(max-width: 640px)').matches ? 6 : 16);
const still = matchMedia('(prefers-reduced-motion: reduce)');

export class ClipWall {
  constructor() {
    /** @type {Map<Element, Seen>} */
    this.seen = new Map();
    /** @type {WeakMap<Element, MediaRow>} */
    this.photos = new WeakMap();
    this.timer = 0;
    this.observer = new IntersectionObserver((entries) => this.#moved(entries), { threshold: 0.25 });
  }

  /** A tile was made. @param {MediaRow} photo @param {HTMLElement} tile */
  take(photo, tile) {
    this.photos.set(tile, photo);
    for (const name of ['pointerenter', 'focus'])
      tile.addEventListener(name, () =>
        this.seen
          .get(tile)
          ?.clip?.play()
          .catch(() => {}),
      );
    for (const name of ['pointerleave', 'blur']) tile.addEventListener(name, () => this.#play());
    this.observer.observe(tile);
  }

  leave() {
    this.observer.disconnect();
    clearTimeout(this.timer);
    this.timer = -1;
    this.seen.clear();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #moved(entries) {
    for (const { target, isIntersecting } of entries) {
      const photo = this.photos.get(target);
      const clip = target.querySelector('video');
      if (isIntersecting && photo) this.seen.set(target, this.seen.get(target) ?? { photo, clip, failed: false });
      else {
        clip?.pause();
        this.seen.delete(target);
      }
    }
    this.#play();
    if (this.timer === 0) this.#ask();
  }

  /** Let the first few clips in the window move, and the others rest. */
  #play() {
    const most = still.matches ? 0 : mostAtOnce();
    [...this.seen.values()]
      .flatMap(({ clip }) => clip ?? [])
      .forEach((clip, index) => (index < most ? clip.play().catch(() => {}) : clip.pause()));
  }

  async #ask() {
    const asked = [...this.seen].filter(([, { clip, failed }]) => !clip && !failed).slice(0, 100);
    if (!asked.length) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (!document.hidden) this.#ask();
    }, AGAIN_MS);
    try {
      const items = asked.map(([, { photo }]) => ({ path: photo.path, library: photo.library_id }));
      const { body } = await ask('POST', 'video/preview/status', { body: { items } });
      asked.forEach(([tile, state], index) => {
        const told = body.items[index];
        if (told) this.#told(tile, state, told.status);
      });
      this.#play();
    } catch (problem) {
      clearTimeout(this.timer);
      this.timer = -1;
      complain(problem);
    }
  }

  /** @param {Element} tile @param {Seen} state @param {ClipRow['status']} status */
  #told(tile, state, status) {
    state.failed = status === 'failed';
    if (status !== 'ready' || state.clip || !tile.isConnected) return;
    const { path, library_id: library } = state.photo;
    const clip = h('video', {
      class: 'clip',
      muted: true,
      loop: true,
      playsInline: true,
      preload: 'auto',
      tabIndex: -1,
      'aria-hidden': 'true',
      src: urlOf('video/preview', { path, library }),
    });
    clip.addEventListener('playing', () => clip.classList.add('shown'), { once: true });
    state.clip = clip;
    tile.querySelector('img')?.after(clip);
  }
}
