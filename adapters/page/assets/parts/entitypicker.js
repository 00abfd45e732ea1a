/** Choosing an entity: type-ahead over every name that it has. */
import { get } from '../api.js';
import { fill, h, icon, settled } from './dom.js';
import { openDialog } from './dialog.js';
import { TYPES } from './known.js';
import { complain } from './toast.js';
import { count } from './words.js';

/** @typedef {{id: number, name: string, type: string, fact_count: number}} Entity */

const SHOWN = 7;
const SEARCH_MS = 200;
let made = 0;

/**
 * @param {object} given
 * @param {(entity: Entity) => Promise<any>|void} given.choose
 * @param {string} given.label
 * @param {number} [given.without] the id that is not offered
 */
export function entityPicker({ choose, label, without }) {
  const id = `entities-${++made}`;
  const list = h('ul', { class: 'options', role: 'listbox', id, 'aria-label': 'Entities' });
  const input = h('input', {
    type: 'text',
    placeholder: 'Search entities',
    role: 'combobox',
    autocomplete: 'off',
    spellcheck: false,
    'aria-label': label,
    'aria-expanded': 'true',
    'aria-controls': id,
    'aria-autocomplete': 'list',
    oninput: settled(() => (found = search()), SEARCH_MS),
    onkeydown: (event) => walk(event),
  });
  /** @type {Entity[]} */
  let options = [];
  let chosen = 0;
  let busy = false;
  let shownFor = null;

  async function pick(entity) {
    if (busy || !entity) return;
    busy = true;
    try {
      await choose(entity);
    } catch (problem) {
      complain(problem);
    } finally {
      busy = false;
    }
  }

  function walk(event) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      chosen = (chosen + (event.key === 'ArrowDown' ? 1 : -1) + options.length) % Math.max(1, options.length);
      mark();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      enter();
    }
  }

  /** Whoever types faster than the list comes chooses from what was typed. */
  async function enter() {
    if (shownFor !== input.value.trim()) found = search();
    await found;
    await pick(options[chosen]);
  }

  function mark() {
    [...list.children].forEach((row, index) => row.setAttribute('aria-selected', String(index === chosen)));
    if (options[chosen]) input.setAttribute('aria-activedescendant', list.children[chosen].id);
    else input.removeAttribute('aria-activedescendant');
    if (options[chosen]) list.children[chosen].scrollIntoView({ block: 'nearest' });
  }

  const row = (entity, index) =>
    h(
      'li',
      { role: 'option', id: `${id}-${index}`, class: 'option', onpointerdown: (event) => event.preventDefault(), onclick: () => pick(entity) },
      h('span', { class: 'crop none' }, icon(TYPES[entity.type][1])),
      h('span', { class: 'option-name' }, entity.name),
      h('span', { class: 'faint' }, `${TYPES[entity.type][0]}, ${count(entity.fact_count, 'fact')}`),
    );

  async function search() {
    const typed = input.value.trim();
    try {
      const page = await get('entities', { q: typed, limit: SHOWN + 1 });
      if (typed !== input.value.trim()) return;
      options = page.items.filter((entity) => entity.id !== without).slice(0, SHOWN);
      shownFor = typed;
      chosen = 0;
      fill(list, options.map(row), options.length === 0 && h('li', { class: 'faint options-none' }, typed ? 'Nothing has that name.' : 'There is no other entity yet.'));
      mark();
    } catch (problem) {
      complain(problem);
    }
  }

  let found = search();
  return { element: h('div', { class: 'picker' }, input, list), focus: () => input.focus() };
}

/**
 * Ask for an entity in a dialog, which closes once `choose` is through.
 * @param {string} title @param {(entity: Entity) => Promise<any>} choose @param {number} [without]
 */
export function chooseEntity(title, choose, without) {
  const picker = entityPicker({
    label: title,
    without,
    choose: async (entity) => {
      await choose(entity);
      dialog.close();
    },
  });
  const dialog = openDialog(title, picker.element);
  picker.focus();
}
