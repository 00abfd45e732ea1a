/** The boxes over a photo: who is where, and drawing a new one with mouse, pen or finger. */
import { drawFace } from './decide.js';
import { fill, h } from './dom.js';
import { openNamer } from './namer.js';
import { complain, done } from './toast.js';

/**
 * @typedef {{x: number, y: number, w: number, h: number}} Box
 * @typedef {{id: number, box: Box, person_id: number|null, person_name: string|null, ignored: boolean, source: string,
 *   confidence: number|null, library_id: number, path: string}} Face
 */

/** Boxes below this part of the picture's side are a slip of the hand. */
const LEAST = 0.012;

export class FaceLayer {
  /** @param {() => void} changed called after any face was changed */
  constructor(changed) {
    this.changed = changed;
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

  clear() {
    fill(this.boxes);
    this.draw(false);
  }

  /** @param {{path: string, library_id: number}} photo @param {Face[]} faces */
  show(photo, faces) {
    this.photo = photo;
    const byPlace = faces.filter((face) => face.box && face.status !== 'deleted').sort((a, b) => a.box.x - b.box.x);
    const focused = document.activeElement?.dataset.face;
    fill(
      this.boxes,
      byPlace.map((face) => this.#box(face)),
    );
    if (focused) this.boxes.querySelector(`[data-face="${focused}"]`)?.focus({ preventScroll: true });
  }

  /** @param {Face} face */
  #box(face) {
    const kind = face.person_id !== null ? 'known' : face.ignored ? 'ignored' : 'open';
    const name = face.person_name ?? (face.ignored ? 'Stranger' : 'Who is this?');
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

  /** @param {Face} face @param {Element} beside */
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
    let start = null;
    const at = (event) => {
      const { left, top, width, height } = this.sheet.getBoundingClientRect();
      const part = (value) => Math.min(1, Math.max(0, value));
      return { x: part((event.clientX - left) / width), y: part((event.clientY - top) / height) };
    };
    const boxTo = (point) => ({
      x: Math.min(start.x, point.x),
      y: Math.min(start.y, point.y),
      w: Math.abs(start.x - point.x),
      h: Math.abs(start.y - point.y),
    });
    this.sheet.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      this.sheet.setPointerCapture(event.pointerId);
      start = at(event);
      this.rubber?.remove();
      this.rubber = h('span', { class: 'face rubber' });
      this.sheet.append(this.rubber);
    });
    this.sheet.addEventListener('pointermove', (event) => start && place(this.rubber, boxTo(at(event))));
    this.sheet.addEventListener('pointerup', (event) => {
      if (!start) return;
      const box = boxTo(at(event));
      start = null;
      if (box.w < LEAST || box.h < LEAST) this.rubber.remove();
      else this.#keep(box);
    });
    this.sheet.addEventListener('pointercancel', () => {
      start = null;
      this.rubber?.remove();
    });
  }

  /** @param {Box} box */
  async #keep(box) {
    this.rubber.classList.add('waiting');
    try {
      const answer = await drawFace(this.photo, box);
      this.draw(false);
      done('Face drawn', answer);
      await this.changed();
      const drawn = this.boxes.querySelector(`[data-face="${Number(answer.body.id)}"]`);
      if (drawn) this.name(answer.body, drawn);
    } catch (problem) {
      this.rubber.remove();
      complain(problem);
    }
  }
}

/** @param {HTMLElement} element @param {Box} box */
function place(element, { x, y, w, h: height }) {
  const style = { left: x, top: y, width: w, height };
  for (const [side, part] of Object.entries(style)) element.style.setProperty(side, `${part * 100}%`);
}
