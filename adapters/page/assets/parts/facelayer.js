/** The boxes over a photo: who is where, and drawing a new one with mouse, pen or finger. */
import { drawFace } from './decide.js';
import { fill, h } from './dom.js';
import { openNamer } from './namer.js';
import { complain, done } from './toast.js';

/**
 * @import { Located } from '../api.js'
 * @import { Box, FaceView } from '../../shapes'
 */

/** Boxes below this part of the picture's side are a slip of the hand. */
const LEAST = 0.012;

export class FaceLayer {
  /**
   * @param {Located} photo
   * @param {() => Promise<void>} changed called after any face was changed
   */
  constructor(photo, changed) {
    this.photo = photo;
    this.changed = changed;
    /** @type {{ close: () => void }|null} */
    this.namer = null;
    /** What is being drawn. @type {HTMLElement|null} */
    this.rubber = null;
    this.isDrawing = false;
    /** @type {(on: boolean) => void} */
    this.drawing = () => {};
    this.boxes = h('div', { class: 'boxes' });
    this.sheet = h(
      'div',
      { class: 'drawing-sheet', hidden: true },
      h('p', { class: 'drawing-hint' }, 'Drag over a face'),
    );
    this.element = h('div', { class: 'faces' }, this.boxes, this.sheet);
    this.#listen();
  }

  leave() {
    this.namer?.close();
  }

  /** Another photo is opened, whose faces are yet to come; one may be drawn on it already. @param {Located} photo */
  clear(photo) {
    this.photo = photo;
    fill(this.boxes);
    this.draw(false);
  }

  /** @param {FaceView[]} faces */
  show(faces) {
    const byPlace = faces.filter((face) => face.status !== 'deleted').sort((a, b) => a.box.x - b.box.x);
    const focused = [...this.boxes.children].find((box) => box === document.activeElement)?.getAttribute('data-face');
    fill(
      this.boxes,
      byPlace.map((face) => this.#box(face)),
    );
    if (focused) this.#boxOf(focused)?.focus({ preventScroll: true });
  }

  /** The box of a face. @param {string|number} id @returns {HTMLElement|null} */
  #boxOf(id) {
    return this.boxes.querySelector(`[data-face="${id}"]`);
  }

  /** @param {FaceView} face */
  #box(face) {
    const kind = face.person_id !== null ? 'known' : face.ignored ? 'ignored' : 'open';
    const name = face.person_name ?? (face.ignored ? 'Stranger' : 'Who is this?');
    /** @type {HTMLButtonElement} */
    const box = h(
      'button',
      {
        type: 'button',
        class: `face ${kind}`,
        'data-face': String(face.id),
        'aria-label': face.person_name ? `Face of ${face.person_name}` : name,
        onclick: () => this.name(face, box),
      },
      h('span', { class: 'face-name' }, name),
    );
    place(box, face.box);
    return box;
  }

  /** @param {FaceView} face @param {Element} beside */
  name(face, beside) {
    this.namer = openNamer(face, beside, this.changed);
  }

  /** @param {boolean} on */
  draw(on) {
    this.isDrawing = on;
    this.sheet.hidden = !on;
    this.rubber?.remove();
    this.drawing(on);
  }

  #listen() {
    /** @type {{ x: number, y: number }|null} */
    let start = null;
    /** @param {PointerEvent} event */
    const at = (event) => {
      const { left, top, width, height } = this.sheet.getBoundingClientRect();
      const part = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
      return { x: part((event.clientX - left) / width), y: part((event.clientY - top) / height) };
    };
    /** @param {{ x: number, y: number }} one @param {{ x: number, y: number }} other */
    const between = (one, other) => ({
      x: Math.min(one.x, other.x),
      y: Math.min(one.y, other.y),
      w: Math.abs(one.x - other.x),
      h: Math.abs(one.y - other.y),
    });
    this.sheet.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      this.sheet.setPointerCapture(event.pointerId);
      start = at(event);
      this.rubber?.remove();
      this.rubber = h('span', { class: 'face rubber' });
      this.sheet.append(this.rubber);
    });
    this.sheet.addEventListener('pointermove', (event) => {
      if (start && this.rubber) place(this.rubber, between(start, at(event)));
    });
    this.sheet.addEventListener('pointerup', (event) => {
      if (!start || !this.rubber) return;
      const box = between(start, at(event));
      start = null;
      if (box.w < LEAST || box.h < LEAST) this.rubber.remove();
      else this.#keep(box, this.rubber);
    });
    this.sheet.addEventListener('pointercancel', () => {
      start = null;
      this.rubber?.remove();
    });
  }

  /** @param {Box} box @param {HTMLElement} rubber */
  async #keep(box, rubber) {
    rubber.classList.add('waiting');
    try {
      const answer = await drawFace(this.photo, box);
      this.draw(false);
      done('Face drawn', answer);
      await this.changed();
      const drawn = this.#boxOf(answer.body.id);
      if (drawn) this.name(answer.body, drawn);
    } catch (problem) {
      rubber.remove();
      complain(problem);
    }
  }
}

/** @param {HTMLElement} element @param {Box} box */
function place(element, { x, y, w, h: height }) {
  const style = { left: x, top: y, width: w, height };
  for (const [side, part] of Object.entries(style)) element.style.setProperty(side, `${part * 100}%`);
}
