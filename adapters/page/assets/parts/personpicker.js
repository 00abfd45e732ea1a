/** Choosing a person: suggestions first, type-ahead over all persons, and a new name where nobody has it. */
import { get } from '../api.js';
import { combobox } from './combobox.js';
import { faceCrop } from './crop.js';
import { h, icon, settled } from './dom.js';
import { beginsWith, finderOf, isSameName } from './folding.js';
import { complain } from './toast.js';
import { count } from './words.js';

/**
 * @import { PersonView, Suggestion } from '../../shapes'
 * @import { Combobox } from './combobox.js'
 * @typedef {{ id: number|null, name: string }} Choice `id` is null for a person who is yet to be made
 * @typedef {Choice & { cover_face_id?: number|null, similarity?: number }} Option
 */

const SHOWN = 7;
const ALL = 500;

/**
 * @param {object} given
 * @param {(choice: Choice) => Promise<void>|void} given.choose
 * @param {Promise<Suggestion[]>} [given.suggestions]
 * @param {number[]} [given.without] ids that are not offered
 * @param {boolean} [given.create] whether a new name may be chosen
 * @param {string} [given.label]
 */
export function personPicker({ choose, suggestions, without = [], create = true, label = 'Name' }) {
  /** @type {Combobox<Option>} */
  const box = combobox({
    label,
    listLabel: 'Persons',
    placeholder: create ? 'Type a name' : 'Search persons',
    oninput: search,
    ready: () => ready,
    choose,
    draw,
  });
  /** @type {PersonView[]} */
  let everyone = [];
  let partial = false;
  /** @type {Array<Option & { id: number }>} */
  let suggested = [];

  function offer() {
    const typed = box.typed();
    const isFound = finderOf(typed);
    const matching = everyone.filter((person) => !without.includes(person.id) && isFound(person.name));
    matching.sort((a, b) => Number(beginsWith(b.name, typed)) - Number(beginsWith(a.name, typed)));
    const first = typed ? [] : suggested.filter((each) => !without.includes(each.id));
    const rest = matching.filter((person) => !first.some((each) => each.id === person.id));
    /** @type {Option[]} */
    const options = [...first, ...rest].slice(0, SHOWN);
    const taken = everyone.some((person) => isSameName(person.name, typed));
    if (create && typed && !taken) options.push({ id: null, name: typed });
    box.offer(options, create ? 'Type a name to begin.' : 'Nobody has that name.');
  }

  /** @param {Option} option */
  function draw(option) {
    const known = everyone.find((person) => person.id === option.id);
    const beside =
      option.similarity !== undefined
        ? `${Math.round(option.similarity * 100)} % alike`
        : known
          ? count(known.face_count, 'face')
          : '';
    return [
      option.id === null
        ? h('span', { class: 'crop none' }, icon('plus'))
        : faceCrop(option.cover_face_id ?? known?.cover_face_id, 96),
      h('span', { class: 'option-name' }, option.id === null ? ['New person ', h('b', {}, option.name)] : option.name),
      h('span', { class: 'faint' }, beside),
    ];
  }

  const askServer = settled(async () => {
    if (!partial) return;
    try {
      const { items } = await get('persons', { q: box.typed(), limit: SHOWN, include_hidden: true });
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
      suggested = rows.map((each) => ({
        id: each.person_id,
        name: each.name,
        similarity: each.similarity,
        cover_face_id: each.cover_face_id,
      }));
      if (!box.typed()) offer();
    })
    .catch(complain);

  return box;
}
