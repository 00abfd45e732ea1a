/**
 * One entity: its names, who it is, and its facts, each with where it comes from; corrected, merged and taken apart
 * here.
 */
import { get, isStatus } from '../api.js';
import { back, go, to } from '../router.js';
import { chooseKnown, previewOf } from '../parts/choose.js';
import { confirmed } from '../parts/dialog.js';
import { fill, h, icon, iconButton, present } from '../parts/dom.js';
import { chooseEntity } from '../parts/entitypicker.js';
import { factRow } from '../parts/fact.js';
import {
  bridge,
  bridgeAfterAsking,
  changeEntity,
  deleteEntity,
  dismissFact,
  mergeEntity,
  rehearseDeletion,
  rehearseMerge,
  sayFact,
  typeChoice,
  typeOf,
} from '../parts/graph.js';
import { TYPES } from '../parts/known.js';
import { mayEdit } from '../parts/me.js';
import { afterUndo, complain, done } from '../parts/toast.js';
import { count } from '../parts/words.js';

/**
 * @import { BridgedPerson, EntityPatch, EntityRow, FactRow, Rehearsal } from '../../shapes'
 * @import { Place, View } from '../router.js'
 * @import { Child } from '../parts/dom.js'
 * @import { Named } from '../parts/graph.js'
 */

const PAGE = 50;
/** Rows that the server gives at once. */
const MOST = 500;

/**
 * @param {Place} place
 * @returns {View}
 */
export function entity({ part }) {
  return new EntityView(Number(part)).view();
}

class EntityView {
  /** @param {number} id */
  constructor(id) {
    this.id = id;
    /** Null until it has come. @type {EntityRow|null} */
    this.loaded = null;
    this.editable = false;
    /** @type {FactRow[]} */
    this.facts = [];
    /** @type {string|null} */
    this.cursor = null;
    this.turn = 0;
    this.head = h('div', { class: 'entity-head' });
    this.backButton = iconButton('back', 'Back', () => back(to('entities')));
    this.mark = h('span', { class: 'operation-mark entity-mark' });
    this.links = h('div', { class: 'entity-links' });
    this.counted = h('h2', { tabIndex: -1 });
    this.add = h(
      'button',
      { type: 'button', class: 'button small', hidden: true, onclick: () => this.#say(null) },
      'Add a fact…',
    );
    this.list = h('ul', { class: 'history-list fact-list', 'aria-label': 'Facts' });
    this.older = h(
      'button',
      { type: 'button', class: 'button older', hidden: true, onclick: () => this.#more().catch(complain) },
      'More',
    );
  }

  /** The entity; nothing that asks for it is there before it has come. */
  get entity() {
    return present(this.loaded);
  }

  /** @returns {View} */
  view() {
    const again = () => this.load();
    return {
      title: 'Entity',
      element: h(
        'div',
        { class: 'page' },
        this.head,
        h('div', { class: 'page-head' }, this.counted, this.add),
        this.list,
        this.older,
      ),
      enter: () => {
        afterUndo.add(again);
        this.load();
      },
      leave: () => {
        this.turn += 1;
        afterUndo.delete(again);
      },
    };
  }

  async load() {
    const turn = ++this.turn;
    try {
      const [entity, editable] = await Promise.all([get(`entities/${this.id}`), mayEdit()]);
      if (turn !== this.turn) return;
      if (entity.merged_into) return go(to('entity', entity.merged_into), { replace: true });
      this.loaded = entity;
      this.editable = editable;
      this.#showHead();
      await this.#again();
    } catch (problem) {
      if (turn !== this.turn) return;
      if (!isStatus(problem, 404)) return complain(problem);
      this.#nothing();
    }
  }

  /** The facts anew, as many as were shown. */
  async #again() {
    this.turn += 1;
    const shown = this.facts.length;
    [this.facts, this.cursor] = [[], null];
    await this.#more(Math.min(MOST, Math.max(PAGE, shown)));
  }

  #nothing() {
    fill(
      this.head,
      h(
        'div',
        { class: 'state' },
        h('h2', {}, 'Nothing is here'),
        h(
          'p',
          {},
          'This entity was deleted, or comes from photos that you do not see. ',
          'What was deleted can be taken back under ',
          h('a', { href: to('history') }, 'History'),
          '.',
        ),
      ),
    );
    this.counted.textContent = '';
    for (const element of [this.add, this.list, this.older]) element.hidden = true;
  }

  async #more(limit = PAGE) {
    const { turn } = this;
    const page = await get(`entities/${this.id}/facts`, { limit, cursor: this.cursor });
    if (turn !== this.turn) return;
    this.cursor = page.next_cursor;
    this.facts.push(...page.items);
    this.#showFacts();
  }

  #showFacts() {
    const own = this.facts.filter((fact) => fact.entity_id === this.id).length;
    const more = this.cursor ? '+' : '';
    const others = this.facts.length - own;
    this.counted.textContent = others
      ? `${count(own, 'fact')}${more}, and ${others}${more} of others about it`
      : `${count(own, 'fact')}${more}`;
    this.add.hidden = !this.editable;
    this.list.hidden = this.facts.length === 0;
    this.older.hidden = !this.cursor;
    const correct = { text: 'Correct', run: (/** @type {FactRow} */ fact) => this.#say(fact) };
    const dismiss = { text: 'Not true', run: (/** @type {FactRow} */ fact) => this.#dismiss(fact) };
    const rows = this.facts.map((fact) => factRow(fact, this.id, this.editable ? [correct, dismiss] : []));
    this.#redraw(this.list, () => fill(this.list, rows), this.counted);
  }

  #showHead() {
    const { entity, editable } = this;
    const kind = TYPES[entity.type][0];
    fill(
      this.head,
      h('div', { class: 'person-back' }, this.backButton),
      this.mark,
      h(
        'div',
        { class: 'entity-about' },
        editable ? this.#nameInput() : h('h1', {}, entity.name),
        editable
          ? this.#fields()
          : [h('p', { class: 'faint' }, kind), entity.description && h('p', {}, entity.description)],
        this.links,
        h(
          'div',
          { class: 'person-actions' },
          h('a', { class: 'button small', href: to('history', '', { entity: this.id }) }, 'What was done'),
          this.#action('Merge into…', () => this.#merge()),
          this.#action('Delete…', () => this.#delete()),
        ),
      ),
    );
    this.#showLinks();
  }

  /** What changes without the fields being drawn anew, in which somebody may be typing on. */
  #showLinks() {
    const { aliases, name, persons, type } = this.entity;
    document.title = `${name} · imageapi`;
    fill(this.mark, icon(TYPES[type][1]));
    const called = aliases.map((alias) =>
      this.#chip(alias, `Not called ${alias}`, () =>
        this.#change({ aliases: aliases.filter((each) => each !== alias) }, `No longer called ${alias}`),
      ),
    );
    const linked = persons.map((person) =>
      this.#chip(h('a', { href: to('person', person.id) }, person.name), `Take off the link to ${person.name}`, () =>
        this.#unbridge(person),
      ),
    );
    const link = type === 'person' && this.#action('Link to a person…', () => this.#bridge());
    this.#redraw(
      this.links,
      () =>
        fill(this.links, this.#chips('Also called', called, this.#aliasForm()), this.#chips('Linked to', linked, link)),
      this.backButton,
    );
  }

  /**
   * Draw something anew and leave the focus where it was, or on `otherwise` where that is gone.
   * @param {HTMLElement} root @param {() => void} draw @param {HTMLElement} otherwise
   */
  #redraw(root, draw, otherwise) {
    const focused = document.activeElement;
    const had = focused && root.contains(focused) ? named(focused) : null;
    draw();
    if (had === null) return;
    /** @type {NodeListOf<HTMLElement>} */
    const all = root.querySelectorAll('a, button, input');
    const same = [...all].find((element) => named(element) === had);
    (same ?? otherwise).focus({ preventScroll: true });
  }

  /** @param {string} text @param {() => void} onclick */
  #action(text, onclick) {
    return this.editable && h('button', { type: 'button', class: 'button small', onclick }, text);
  }

  #nameInput() {
    const name = h('input', {
      type: 'text',
      class: 'name-input',
      value: this.entity.name,
      'aria-label': 'Name',
      required: true,
      spellcheck: false,
      maxLength: 200,
    });
    name.addEventListener('change', () => {
      const wanted = name.value.trim();
      if (wanted && wanted !== this.entity.name) this.#change({ name: wanted }, 'Renamed');
      else name.value = this.entity.name;
    });
    name.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') name.blur();
      if (event.key === 'Escape') name.value = this.entity.name;
    });
    return name;
  }

  #fields() {
    const type = typeChoice('Kind', this.entity.type);
    type.addEventListener('change', () => this.#change({ type: typeOf(type) }, `${TYPES[typeOf(type)][0]} now`));
    const about = h('textarea', {
      value: this.entity.description,
      rows: 1,
      placeholder: 'Description',
      'aria-label': 'Description',
      maxLength: 2000,
    });
    about.addEventListener(
      'change',
      () =>
        about.value.trim() !== this.entity.description &&
        this.#change({ description: about.value.trim() }, 'Description kept'),
    );
    return h('div', { class: 'person-fields' }, type, about);
  }

  /** @param {string} label @param {Child[]} chips @param {Child} more */
  #chips(label, chips, more) {
    if (!chips.length && !more) return null;
    return h('div', { class: 'entity-chips' }, h('span', { class: 'label' }, label), chips, more);
  }

  /** @param {Child} content @param {string} label @param {() => void} remove */
  #chip(content, label, remove) {
    return h('span', { class: 'chip' }, content, this.editable && iconButton('close', label, remove));
  }

  #aliasForm() {
    if (!this.editable) return null;
    const input = h('input', {
      type: 'text',
      placeholder: 'Another name',
      'aria-label': 'Another name',
      maxLength: 200,
      autocomplete: 'off',
      spellcheck: false,
    });
    /** @param {Event} event */
    const onsubmit = async (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (name) await this.#change({ aliases: [...this.entity.aliases, name] }, `Also called ${name}`);
    };
    return h('form', { onsubmit }, input);
  }

  /** @param {EntityPatch} fields @param {string} text */
  async #change(fields, text) {
    try {
      const answer = await changeEntity(this.id, fields);
      this.loaded = answer.body;
      this.#showLinks();
      done(text, answer);
    } catch (problem) {
      complain(problem);
      await this.load();
    }
  }

  /** @param {FactRow|null} fact */
  #say(fact) {
    sayFact(this.entity, fact, async (answer) => {
      done(fact ? 'Corrected' : 'Fact kept', answer);
      await this.#again().catch(complain);
    });
  }

  /** @param {FactRow} fact */
  async #dismiss(fact) {
    try {
      done('Not true: it is not proposed again', await dismissFact(fact));
      await this.#again();
    } catch (problem) {
      complain(problem);
    }
  }

  #bridge() {
    /** @param {Named} person */
    const choose = async (person) => {
      const answer = await bridgeAfterAsking(person.id, this.entity);
      if (!answer) return;
      done(`${this.entity.name} is ${person.name}`, answer);
      await this.#bridged();
    };
    const linked = this.entity.persons.map((person) => person.id);
    chooseKnown(`Who is ${this.entity.name}?`, choose, linked);
  }

  /** @param {BridgedPerson} person */
  async #unbridge(person) {
    try {
      done(`No longer linked to ${person.name}`, await bridge(person.id, null));
      await this.#bridged();
    } catch (problem) {
      complain(problem);
    }
  }

  async #bridged() {
    this.loaded = await get(`entities/${this.id}`);
    this.#showLinks();
  }

  #merge() {
    /** @param {Named} other */
    const into = async (other) => {
      const preview = await rehearseMerge(this.id, other.id);
      setTimeout(() => this.#confirmMerge(other, preview));
    };
    chooseEntity(`What else is ${this.entity.name}?`, into, this.id);
  }

  /** @param {Named} other @param {Rehearsal} preview */
  async #confirmMerge(other, preview) {
    const { name, persons } = this.entity;
    const hint = [
      persons.length > 0 && `${persons.map((person) => person.name).join(', ')} will be linked to ${other.name}.`,
      'Each fact keeps where it comes from. You can undo this at any later time.',
    ];
    const agreed = await confirmed(
      `Merge ${name} into ${other.name}?`,
      [previewOf(preview), h('p', { class: 'hint' }, hint.filter(Boolean).join(' '))],
      'Merge',
    );
    if (!agreed) return;
    try {
      done(`${name} is ${other.name}`, await mergeEntity(this.id, other.id));
      go(to('entity', other.id), { replace: true });
    } catch (problem) {
      complain(problem);
    }
  }

  async #delete() {
    const { name } = this.entity;
    try {
      const preview = await rehearseDeletion(this.id);
      const hint = 'Its facts go with it, and no model proposes it again. You can undo this at any later time.';
      if (
        !(await confirmed(`Delete ${name}?`, [previewOf(preview), h('p', { class: 'hint' }, hint)], 'Delete', {
          danger: true,
        }))
      )
        return;
      done(`${name} deleted`, await deleteEntity(this.id));
      go(to('entities'), { replace: true });
    } catch (problem) {
      complain(problem);
    }
  }
}

/** How an element is called. @param {Element} element */
const named = (element) => element.getAttribute('aria-label') ?? element.textContent;
