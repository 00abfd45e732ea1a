/** A grid of faces, each opening something; in select mode each can be chosen, Shift chooses all between. */
import { faceCrop } from './crop.js';
import { fill, h } from './dom.js';
import { count } from './words.js';

/**
 * @typedef {{id: number}} Shown
 * @typedef {{label: string, run: (ids: number[]) => Promise<any>|void, single?: boolean}} Action
 */

export class FaceGrid {
  /**
   * @param {object} given
   * @param {(face: any, element: HTMLElement) => void} given.open
   * @param {Action[]} given.actions offered on what is selected; `single` ones only on one face
   * @param {(face: any) => string} given.label
   */
  constructor({ open, actions, label }) {
    this.open = open;
    this.actions = actions;
    this.label = label;
    /** @type {Shown[]} */
    this.faces = [];
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
      onkeydown: (event) => event.key === 'Escape' && this.selecting && this.select(false),
    });
    this.bar = h('div', {
      class: 'select-bar',
      role: 'toolbar',
      'aria-label': 'With the selected faces',
      hidden: true,
    });
    this.element = h('div', {}, this.grid, this.bar);
  }

  /** @param {Shown[]} faces */
  show(faces) {
    this.faces = faces;
    const present = new Set(faces.map((face) => face.id));
    for (const id of this.chosen) if (!present.has(id)) this.chosen.delete(id);
    const focused = [...this.grid.children].indexOf(document.activeElement);
    fill(
      this.grid,
      faces.map((face, index) => this.#face(face, index)),
    );
    if (focused >= 0) this.grid.children[Math.min(focused, faces.length - 1)]?.focus({ preventScroll: true });
    this.toggle.hidden = faces.length === 0;
    this.#say();
  }

  #face(face, index) {
    const press = (event) => {
      if (!this.selecting) return this.open(face, button);
      this.#choose(index, event.shiftKey);
    };
    const button = h(
      'button',
      { type: 'button', class: 'face-cell', 'aria-label': this.label(face), onclick: press },
      faceCrop(face.id, 224),
    );
    if (this.selecting) button.setAttribute('aria-pressed', String(this.chosen.has(face.id)));
    return button;
  }

  /** @param {number} index @param {boolean} through from the last chosen one on */
  #choose(index, through) {
    const on = !this.chosen.has(this.faces[index].id);
    const from = through && this.last >= 0 ? Math.min(this.last, index) : index;
    const until = through && this.last >= 0 ? Math.max(this.last, index) : index;
    for (let at = from; at <= until; at++) {
      if (on) this.chosen.add(this.faces[at].id);
      else this.chosen.delete(this.faces[at].id);
      this.grid.children[at].setAttribute('aria-pressed', String(on));
    }
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
    for (const button of this.grid.children) {
      if (on) button.setAttribute('aria-pressed', 'false');
      else button.removeAttribute('aria-pressed');
    }
    this.#say();
  }

  #say() {
    const ids = [...this.chosen];
    this.bar.hidden = !this.selecting;
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
