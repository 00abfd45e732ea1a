/**
 * A grid of faces, each opening something; in select mode each can be chosen, Shift chooses all between. The arrows go
 * from face to face, and a key may do something with the one in focus.
 */
import { faceCrop } from './crop.js';
import { fill, h } from './dom.js';
import { count } from './words.js';

/**
 * @import { PersonFace } from '../../shapes'
 * @typedef {{ label: string, run: (ids: number[]) => Promise<void>|void, single?: boolean, key?: string }} Action
 *   a `single` one is offered on one face only; `key` does it with the face in focus
 */

export class FaceGrid {
  /**
   * @param {object} given
   * @param {(face: PersonFace, element: HTMLElement) => void} given.open
   * @param {Action[]} given.actions offered on what is selected
   * @param {(face: PersonFace) => string} given.label
   * @param {(face: PersonFace) => string} [given.note] a word on the picture
   */
  constructor({ open, actions, label, note = () => '' }) {
    this.open = open;
    this.actions = actions;
    this.label = label;
    this.note = note;
    /** @type {PersonFace[]} */
    this.faces = [];
    /** The button of each face, in the same order. @type {HTMLButtonElement[]} */
    this.cells = [];
    /** @type {Set<number>} */
    this.chosen = new Set();
    this.selecting = false;
    this.last = -1;
    this.toggle = h(
      'button',
      { type: 'button', class: 'button small', 'aria-pressed': 'false', onclick: () => this.select(!this.selecting) },
      'Select',
    );
    this.grid = h('div', {
      class: 'face-grid',
      onkeydown: (event) => this.#press(event),
    });
    this.bar = h('div', {
      class: 'select-bar',
      role: 'toolbar',
      'aria-label': 'With the selected faces',
      hidden: true,
    });
    this.element = h('div', {}, this.grid, this.bar);
  }

  /** @param {PersonFace[]} faces */
  show(faces) {
    this.faces = faces;
    const present = new Set(faces.map((face) => face.id));
    for (const id of this.chosen) if (!present.has(id)) this.chosen.delete(id);
    const focused = this.cells.findIndex((cell) => cell === document.activeElement);
    this.cells = faces.map((face, index) => this.#face(face, index));
    fill(this.grid, this.cells);
    if (focused >= 0) this.cells[Math.min(focused, faces.length - 1)]?.focus({ preventScroll: true });
    this.toggle.hidden = faces.length === 0;
    this.#say();
  }

  /** @param {PersonFace} face @param {number} index */
  #face(face, index) {
    /** @param {MouseEvent} event */
    const press = (event) => {
      if (!this.selecting) return this.open(face, button);
      this.#choose(index, event.shiftKey);
    };
    /** @type {HTMLButtonElement} */
    const button = h(
      'button',
      { type: 'button', class: 'face-cell', 'aria-label': this.label(face), onclick: press },
      faceCrop(face.id, 224),
      this.note(face) && h('span', { class: 'face-note' }, this.note(face)),
    );
    if (this.selecting) button.setAttribute('aria-pressed', String(this.chosen.has(face.id)));
    return button;
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.key === 'Escape' && this.selecting) return this.select(false);
    const index = this.cells.findIndex((cell) => cell === document.activeElement);
    const face = this.faces[index];
    if (!face || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const action = this.selecting ? undefined : this.actions.find((each) => each.key === event.key);
    if (by) this.cells[index + by]?.focus();
    else if (action) action.run([face.id]);
    else return;
    event.preventDefault();
  }

  /** @param {number} index @param {boolean} through from the last chosen one on */
  #choose(index, through) {
    const pressed = this.faces[index];
    const on = !pressed || !this.chosen.has(pressed.id);
    const from = through && this.last >= 0 ? Math.min(this.last, index) : index;
    const until = through && this.last >= 0 ? Math.max(this.last, index) : index;
    this.faces.slice(from, until + 1).forEach(({ id }, step) => {
      if (on) this.chosen.add(id);
      else this.chosen.delete(id);
      this.cells[from + step]?.setAttribute('aria-pressed', String(on));
    });
    this.last = index;
    this.#say();
  }

  /** @param {boolean} on */
  select(on) {
    this.selecting = on;
    this.chosen.clear();
    this.last = -1;
    this.toggle.textContent = on ? 'Done' : 'Select';
    this.toggle.setAttribute('aria-pressed', String(on));
    this.grid.classList.toggle('selecting', on);
    for (const button of this.cells) {
      if (on) button.setAttribute('aria-pressed', 'false');
      else button.removeAttribute('aria-pressed');
    }
    this.#say();
  }

  #say() {
    const ids = [...this.chosen];
    this.bar.hidden = !this.selecting;
    /** @param {Action} action */
    const usable = (action) => ids.length > 0 && (!action.single || ids.length === 1);
    fill(
      this.bar,
      h('span', { 'aria-live': 'polite' }, ids.length ? count(ids.length, 'face') : 'Choose faces'),
      this.actions.map((action) =>
        h(
          'button',
          { type: 'button', class: 'button small', disabled: !usable(action), onclick: () => action.run(ids) },
          action.label,
        ),
      ),
    );
  }
}
