/** Choosing an entity: type-ahead over every name that it has. */
import { get } from '../api.js';
import { combobox } from './combobox.js';
import { h, icon, settled } from './dom.js';
import { openDialog } from './dialog.js';
import { TYPES } from './known.js';
import { complain } from './toast.js';
import { count } from './words.js';

/**
 * @import { EntityRow } from '../../shapes'
 * @import { Combobox } from './combobox.js'
 */

const SHOWN = 7;
const SEARCH_MS = 200;

/**
 * @param {object} given
 * @param {(entity: EntityRow) => Promise<void>|void} given.choose
 * @param {string} given.label
 * @param {number} [given.without] the id that is not offered
 */
export function entityPicker({ choose, label, without }) {
  /** @type {string|null} */
  let shownFor = null;
  /** @type {Combobox<EntityRow>} */
  const box = combobox({
    label,
    listLabel: 'Entities',
    placeholder: 'Search entities',
    oninput: settled(() => {
      found = search();
    }, SEARCH_MS),
    /** Whoever types faster than the list comes chooses from what was typed. */
    ready: () => (shownFor === box.typed() ? found : (found = search())),
    choose,
    draw: (entity) => [
      h('span', { class: 'crop none' }, icon(TYPES[entity.type][1])),
      h('span', { class: 'option-name' }, entity.name),
      h('span', { class: 'faint' }, `${TYPES[entity.type][0]}, ${count(entity.fact_count, 'fact')}`),
    ],
  });

  async function search() {
    const typed = box.typed();
    try {
      const page = await get('entities', { q: typed, limit: SHOWN + 1 });
      if (typed !== box.typed()) return;
      shownFor = typed;
      const others = page.items.filter((entity) => entity.id !== without).slice(0, SHOWN);
      box.offer(others, typed ? 'Nothing has that name.' : 'There is no other entity yet.');
    } catch (problem) {
      complain(problem);
    }
  }

  let found = search();
  return box;
}

/**
 * Ask for an entity in a dialog, which closes once `choose` is through.
 * @param {string} title @param {(entity: EntityRow) => Promise<void>} choose @param {number} [without]
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
