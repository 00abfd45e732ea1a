/** Choosing a person: suggestions first, type-ahead over all persons, and a new name where nobody has it. */
import { get } from '../api.js';
import { faceCrop } from './crop.js';
import { fill, h, icon, settled } from './dom.js';
import { complain } from './toast.js';
import { count } from './words.js';

/**
 * @typedef {{id: number, name: string, cover_face_id: number|null, face_count: number}} Person
 * @typedef {{id: number|null, name: string}} Choice `id` is null for a person who is yet to be made
 */

const SHOWN = 7;
const ALL = 500;
let made = 0;

/** Lower case without accents, so that "zoe" finds "Zoë". @param {string} text */
const plain = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/**
 * @param {object} given
 * @param {(choice: Choice) => Promise<any>|void} given.choose
 * @param {Promise<Array<{person_id: number, name: string, similarity: number}>>} [given.suggestions]
 * @param {number[]} [given.without] ids that are not offered
 * @param {boolean} [given.create] whether a new name may be chosen
 * @param {string} [given.label]
 */
export function personPicker({ choose, suggestions, without = [], create = true, label = 'Name' }) {
  const id = `persons-${++made}`;
  const list = h('ul', { class: 'options', role: 'listbox', id, 'aria-label': 'Persons' });
  const input = h('input', {
    type: 'text',
    placeholder: create ? 'Type a name' : 'Search persons',
    role: 'combobox',
    autocomplete: 'off',
    spellcheck: false,
    'aria-label': label,
    'aria-expanded': 'true',
    'aria-controls': id,
    'aria-autocomplete': 'list',
    oninput: () => search(),
    onkeydown: (event) => walk(event),
  });
  /** @type {Person[]} */
  let everyone = [];
  let partial = false;
  let suggested = [];
  let options = [];
  let chosen = 0;
  let busy = false;

  const pick = async (choice) => {
    if (busy || !choice) return;
    busy = true;
    try {
      await choose(choice);
    } catch (problem) {
      complain(problem);
    } finally {
      busy = false;
    }
  };

  function walk(event) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      chosen = (chosen + (event.key === 'ArrowDown' ? 1 : -1) + options.length) % Math.max(1, options.length);
      mark();
      event.preventDefault();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      ready.then(() => pick(options[chosen]));
    }
  }

  function mark() {
    [...list.children].forEach((row, index) => row.setAttribute('aria-selected', String(index === chosen)));
    if (list.children[chosen]) input.setAttribute('aria-activedescendant', list.children[chosen].id);
    else input.removeAttribute('aria-activedescendant');
    list.children[chosen]?.scrollIntoView({ block: 'nearest' });
  }

  function offer() {
    const typed = input.value.trim();
    const wanted = plain(typed);
    const matching = everyone.filter((person) => !without.includes(person.id) && plain(person.name).includes(wanted));
    matching.sort((a, b) => Number(plain(b.name).startsWith(wanted)) - Number(plain(a.name).startsWith(wanted)));
    const first = typed ? [] : suggested.filter((each) => !without.includes(each.id));
    const rest = matching.filter((person) => !first.some((each) => each.id === person.id));
    options = [...first, ...rest].slice(0, SHOWN);
    const taken = everyone.some((person) => plain(person.name) === wanted);
    if (create && typed && !taken) options.push({ id: null, name: typed });
    chosen = 0;
    fill(list, options.map(row));
    if (!options.length) fill(list, h('li', { class: 'faint options-none' }, create ? 'Type a name to begin.' : 'Nobody has that name.'));
    mark();
  }

  function row(option, index) {
    const known = everyone.find((person) => person.id === option.id);
    const beside = option.similarity !== undefined ? `${Math.round(option.similarity * 100)} % alike` : known ? count(known.face_count, 'face') : '';
    return h(
      'li',
      { role: 'option', id: `${id}-${index}`, class: 'option', onpointerdown: (event) => event.preventDefault(), onclick: () => pick(option) },
      option.id === null ? h('span', { class: 'crop none' }, icon('plus')) : faceCrop(option.cover_face_id ?? known?.cover_face_id, 96),
      h('span', { class: 'option-name' }, option.id === null ? ['New person ', h('b', {}, option.name)] : option.name),
      h('span', { class: 'faint' }, beside),
    );
  }

  const askServer = settled(async () => {
    if (!partial) return;
    try {
      const { items } = await get('persons', { q: input.value.trim(), limit: SHOWN, include_hidden: true });
      everyone = [...everyone, ...items.filter((person) => !everyone.some((each) => each.id === person.id))];
      offer();
    } catch (problem) {
      complain(problem);
    }
  }, 200);

  function search() {
    offer();
    askServer();
  }

  /** Whoever types faster than the list comes must not make a person anew who is there. */
  const ready = get('persons', { limit: ALL, sort: 'faces', include_hidden: true })
    .then((page) => {
      everyone = page.items;
      partial = Boolean(page.next_cursor);
      offer();
    })
    .catch(complain);
  suggestions
    ?.then((rows) => {
      suggested = rows.map((each) => ({ id: each.person_id, name: each.name, similarity: each.similarity, cover_face_id: each.cover_face_id }));
      if (!input.value) offer();
    })
    .catch(complain);

  return { element: h('div', { class: 'picker' }, input, list), focus: () => input.focus() };
}
