/** One person: what is known, the faces, and the ways to put together or take apart what belongs so. */
import { get, getAll, isStatus, Problem, wordsOf } from '../api.js';
import { back, go, to } from '../router.js';
import { chooseKnown, choosePerson, previewOf } from '../parts/choose.js';
import { faceCrop } from '../parts/crop.js';
import {
  assign,
  changePerson,
  decideMany,
  deletePerson,
  mergePerson,
  rehearseDeletion,
  rehearseMerge,
} from '../parts/decide.js';
import { confirmed, openDialog } from '../parts/dialog.js';
import { fill, h, iconButton, present } from '../parts/dom.js';
import { chooseEntity } from '../parts/entitypicker.js';
import { FaceGrid } from '../parts/facegrid.js';
import { isSameName } from '../parts/folding.js';
import { field } from '../parts/form.js';
import { bridgeAfterAsking } from '../parts/graph.js';
import { knownList } from '../parts/known.js';
import { mayEdit } from '../parts/me.js';
import { afterUndo, complain, done, toast } from '../parts/toast.js';
import { count, fileName } from '../parts/words.js';

/**
 * @import { EntityRow, FacesBatch, PersonFace, PersonPatch, PersonView as Person, Rehearsal } from '../../shapes'
 * @import { Place, View } from '../router.js'
 * @import { Choice } from '../parts/personpicker.js'
 * @import { Cascade } from '../parts/decide.js'
 * @import { Named } from '../parts/graph.js'
 */

/** "63 %", or what keeps it from being known. @param {PersonFace} face */
const likenessOf = ({ similarity, embedded }) => {
  if (typeof similarity === 'number') return `${Math.round(similarity * 100)} %`;
  return embedded ? 'not compared yet' : 'cannot be compared';
};

/**
 * @param {Place} place
 * @returns {View}
 */
export function person({ part }) {
  return new PersonView(Number(part)).view();
}

/** In which order the faces stand, by the word that the choice has. */
const ORDERS = {
  newest: { text: 'Newest first', query: { sort: 'time', order: 'desc' } },
  oldest: { text: 'Oldest first', query: { sort: 'time', order: 'asc' } },
  unlike: { text: 'Least alike first', query: { sort: 'likeness', order: 'asc' } },
};

/** @typedef {keyof typeof ORDERS} Order */

class PersonView {
  /** @param {number} id */
  constructor(id) {
    this.id = id;
    /** Null until it has come. @type {Person|null} */
    this.loaded = null;
    this.editable = false;
    this.head = h('div', { class: 'person-head' });
    this.grid = new FaceGrid({
      open: (face) => go(to('photo', '', { file: face.path, of: face.library_id, persons: this.id })),
      label: (face) => `Photo ${fileName(face.path)}`,
      note: (face) => (this.order === 'unlike' ? likenessOf(face) : ''),
      actions: [
        { label: 'Assign to…', run: (ids) => this.#assign(ids) },
        { label: 'Unassign', key: 'u', run: (ids) => this.#many('unassign', ids, 'unassigned') },
        { label: 'Not faces', run: (ids) => this.#many('delete', ids, 'taken away') },
        { label: 'Use as cover', single: true, run: ([id]) => this.#chooseCover(present(id)) },
      ],
    });
    this.known = knownList();
    this.counted = h('h2', {});
    /** @type {Order} */
    this.order = 'newest';
    this.hint = h('p', { class: 'faint face-hint', hidden: true });
    this.orders = h(
      'select',
      {
        class: 'order',
        'aria-label': 'Order of the faces',
        onchange: async () => {
          this.order = /** @type {Order} */ (this.orders.value);
          await this.load();
          if (this.order === 'unlike') this.grid.cells[0]?.focus();
        },
      },
      Object.entries(ORDERS).map(([value, { text }]) => h('option', { value }, text)),
    );
  }

  /** The person; nothing that asks for it is there before it has come. */
  get person() {
    return present(this.loaded);
  }

  /** @returns {View} */
  view() {
    const again = () => this.load();
    return {
      title: 'Person',
      element: h(
        'div',
        { class: 'page wide' },
        this.head,
        this.known.element,
        h('div', { class: 'page-head' }, this.counted, this.orders, this.grid.toggle),
        this.hint,
        this.grid.element,
      ),
      enter: () => {
        afterUndo.add(again);
        this.load();
      },
      leave: () => afterUndo.delete(again),
    };
  }

  async load() {
    try {
      const [person, editable] = await Promise.all([get(`persons/${this.id}`), mayEdit()]);
      if (person.merged_into) return go(to('person', person.merged_into), { replace: true });
      this.loaded = person;
      this.editable = editable;
      document.title = `${person.name} · imageapi`;
      this.#showHead();
      this.#showKnown();
      const faces = await getAll(`persons/${this.id}/faces`, ORDERS[this.order].query);
      this.counted.textContent = count(faces.length, 'face');
      this.orders.hidden = faces.length < 2;
      this.grid.show(faces);
      this.#showHint(faces);
    } catch (problem) {
      if (!isStatus(problem, 404)) return complain(problem);
      fill(
        this.head,
        h(
          'div',
          { class: 'state' },
          h('h2', {}, 'Nobody is here'),
          h(
            'p',
            {},
            'This person was deleted. It can be taken back under ',
            h('a', { href: to('history') }, 'History'),
            '.',
          ),
        ),
      );
      this.known.clear();
      this.counted.textContent = '';
      this.grid.show([]);
    }
  }

  /** How the wrong ones are taken away, where those stand first. @param {PersonFace[]} faces */
  #showHint(faces) {
    this.hint.hidden = this.order !== 'unlike' || !faces.length;
    fill(
      this.hint,
      'The faces that are least like the others come first. ',
      this.editable && [
        h('span', { class: 'with-keys' }, h('kbd', {}, 'U'), ` takes ${this.person.name}’s name off the one in focus.`),
      ],
    );
  }

  #showHead() {
    const { person } = this;
    /**
     * @param {'name'|'birth_date'|'notes'} key
     * @param {string} text
     * @param {HTMLInputElement|HTMLTextAreaElement} element
     */
    const save = (key, text, element) => () => {
      const value = element.value.trim() || (key === 'birth_date' ? null : '');
      if (value !== this.person[key]) this.#change({ [key]: value }, text);
    };
    const name = h('input', {
      type: 'text',
      class: 'name-input',
      value: person.name,
      'aria-label': 'Name',
      required: true,
      spellcheck: false,
    });
    name.addEventListener('change', save('name', 'Renamed', name));
    name.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') name.blur();
      if (event.key === 'Escape') name.value = this.person.name;
    });
    const born = field('Birth date', { type: 'date', value: person.birth_date ?? '' });
    born.input.addEventListener('change', save('birth_date', 'Birth date kept', born.input));
    const notes = h('textarea', { id: 'person-notes', value: person.notes, rows: 2, placeholder: 'Notes' });
    notes.addEventListener('change', save('notes', 'Notes kept', notes));
    const hidden = h('input', { type: 'checkbox', checked: person.hidden });
    hidden.addEventListener('change', () =>
      this.#change({ hidden: hidden.checked }, hidden.checked ? 'Hidden' : 'Shown again'),
    );
    /** @param {string} text @param {() => void} onclick */
    const button = (text, onclick) => h('button', { type: 'button', class: 'button small', onclick }, text);
    fill(
      this.head,
      h(
        'div',
        { class: 'person-back' },
        iconButton('back', 'Back', () => back(to('people'))),
      ),
      faceCrop(person.cover_face_id, 320),
      h(
        'div',
        { class: 'person-words' },
        name,
        h(
          'div',
          { class: 'person-fields' },
          born.element,
          h('div', { class: 'field' }, h('label', { for: 'person-notes' }, 'Notes'), notes),
        ),
        h(
          'div',
          { class: 'person-actions' },
          h('a', { class: 'button small', href: to('photos', '', { persons: this.id }) }, 'Show photos'),
          h('a', { class: 'button small', href: to('history', '', { person: this.id }) }, 'What was done'),
          this.#entityButton(button),
          button('Merge into…', () => this.#merge()),
          button('Delete…', () => this.#delete()),
          h('label', { class: 'check' }, hidden, 'Hidden'),
        ),
      ),
    );
  }

  /**
   * To what is known of the person, or to choose where that is written; nobody but a user links the two.
   * @param {(text: string, onclick: () => void) => HTMLElement} button
   */
  #entityButton(button) {
    const { entity_id: entity } = this.person;
    if (entity !== null) return h('a', { class: 'button small', href: to('entity', entity) }, 'What is known');
    return this.editable && button('Link to an entity…', () => this.#bridge());
  }

  #showKnown() {
    const { entity_id: entity } = this.person;
    if (entity === null) this.known.clear();
    else this.known.show(`entities/${entity}/facts`, {}, entity);
  }

  #bridge() {
    /** @param {EntityRow} entity */
    const choose = async (entity) => {
      const answer = await bridgeAfterAsking(this.id, entity);
      if (answer) done(`${this.person.name} is ${entity.name}`, answer);
      await this.load();
    };
    chooseEntity(`What is ${this.person.name}?`, choose);
  }

  /**
   * Write something without drawing the fields anew, in which somebody may be typing on.
   * @param {PersonPatch} fields @param {string} text
   */
  async #change(fields, text) {
    try {
      const answer = await changePerson(this.id, fields);
      this.loaded = answer.body;
      document.title = `${this.person.name} · imageapi`;
      done(text, answer);
    } catch (problem) {
      if (fields.name !== undefined && problem instanceof Problem && problem.kind === 'name-taken')
        return this.#nameTaken(fields.name, problem);
      complain(problem);
      await this.load();
    }
  }

  /**
   * The name stays as it was typed, and who has it already may be the same person.
   * @param {string} name @param {Problem} problem
   */
  async #nameTaken(name, problem) {
    try {
      const { items } = await get('persons', { q: name, include_hidden: true, limit: 100 });
      const other = items.find((person) => person.id !== this.id && isSameName(person.name, name));
      const merge = { word: `Merge into ${other?.name}…`, run: () => this.#mergeInto(present(other ?? null)) };
      toast(wordsOf(problem), { bad: true, ...(other ? { action: merge } : {}) });
    } catch (failure) {
      complain(failure);
    }
  }

  /** @param {number} faceId */
  async #chooseCover(faceId) {
    await this.#change({ cover_face_id: faceId }, 'Cover chosen');
    this.grid.select(false);
    await this.load();
  }

  /** @param {number[]} ids */
  #assign(ids) {
    /** @param {Choice} choice */
    const choose = async (choice) => {
      done(`${count(ids.length, 'face')} of ${choice.name}`, await assign(ids, choice));
      this.grid.select(false);
      await this.load();
    };
    choosePerson('Who is this?', choose, { without: [this.id] });
  }

  /** @param {FacesBatch['action']} action @param {number[]} ids @param {string} text */
  async #many(action, ids, text) {
    try {
      done(`${count(ids.length, 'face')} ${text}`, await decideMany(action, ids));
      this.grid.select(false);
      await this.load();
    } catch (problem) {
      complain(problem);
    }
  }

  #merge() {
    chooseKnown(`Who is ${this.person.name}?`, (other) => this.#mergeInto(other), [this.id]);
  }

  /** @param {Named} other */
  async #mergeInto(other) {
    const preview = await rehearseMerge(this.id, other.id);
    setTimeout(() => this.#confirmMerge(other, preview));
  }

  /** @param {Named} other @param {Rehearsal} preview */
  async #confirmMerge(other, preview) {
    const { name } = this.person;
    const agreed = await confirmed(
      `Merge ${name} into ${other.name}?`,
      [previewOf(preview), h('p', { class: 'hint' }, 'You can undo this at any later time.')],
      'Merge',
    );
    if (!agreed) return;
    try {
      done(`${name} is ${other.name}`, await mergePerson(this.id, other.id));
      go(to('person', other.id), { replace: true });
    } catch (problem) {
      complain(problem);
    }
  }

  async #delete() {
    const { name } = this.person;
    try {
      const [kept, gone] = await Promise.all([
        rehearseDeletion(this.id, 'set_null'),
        rehearseDeletion(this.id, 'delete'),
      ]);
      /** @type {Cascade} */
      let cascade = 'set_null';
      /** @param {Cascade} value @param {string} title @param {Rehearsal} preview */
      const way = (value, title, preview) =>
        h(
          'label',
          { class: 'way' },
          h('input', {
            type: 'radio',
            name: 'cascade',
            value,
            checked: value === cascade,
            onchange() {
              cascade = value;
            },
          }),
          h('span', {}, h('b', {}, title), h('span', { class: 'faint' }, preview.text)),
        );
      const remove = async () => {
        try {
          done(`${name} deleted`, await deletePerson(this.id, cascade));
          dialog.close();
          go(to('people'), { replace: true });
        } catch (problem) {
          complain(problem);
        }
      };
      const dialog = openDialog(`Delete ${name}?`, [
        way('set_null', 'Keep the faces, without a name', kept),
        way('delete', 'Take the faces away too', gone),
        h('p', { class: 'hint' }, 'The photos stay. You can undo this at any later time.'),
        h(
          'div',
          { class: 'actions' },
          h('button', { type: 'button', class: 'button', onclick: () => dialog.close() }, 'Cancel'),
          h('button', { type: 'button', class: 'button danger', onclick: remove }, 'Delete'),
        ),
      ]);
    } catch (problem) {
      complain(problem);
    }
  }
}
