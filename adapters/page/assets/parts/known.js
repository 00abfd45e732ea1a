/** What is known: how entities and facts read, and the short list of them beside a photo and a person. */
import { get } from '../api.js';
import { to } from '../router.js';
import { fill, h, icon } from './dom.js';
import { complain } from './toast.js';
import { count, spanOf } from './words.js';

/** How many facts a short list shows. */
const FEW = 5;

/** The types of entities in words, and their outlines. @type {Object<string, [string, string]>} */
export const TYPES = {
  person: ['Person', 'people'],
  place: ['Place', 'pin'],
  organisation: ['Organisation', 'organisation'],
  event: ['Event', 'calendar'],
  thing: ['Thing', 'tag'],
};

/** What became of the insight that a fact was read from, where it no longer stands. @type {Object<string, string>} */
export const STANDINGS = {
  amended: 'the insight was written anew since',
  rewound: 'the conversation went back behind it',
  gone: 'the insight was taken back',
  erased: 'the faces of its photo were erased',
};

const linked = (id, name) => h('a', { href: to('entity', id) }, name);

/**
 * A fact as one sentence: whose it is where that is not said already, its text, its time, and the other entity.
 * @param {any} fact as `GET /entities/{id}/facts` gives it
 * @param {number|null} [on] the entity on whose page it stands
 */
export function sentenceOf(fact, on = null) {
  const { entity_id: id, entity_name: name, text, object_id: other } = fact;
  const begins = text.toLowerCase().startsWith(name.toLowerCase());
  const rest = begins ? text.slice(name.length) : `: ${text}`;
  const span = spanOf(fact.since, fact.until);
  return [
    id === on ? text : [linked(id, name), rest],
    span && h('span', { class: 'faint' }, ` ${span}`),
    other !== null && other !== on && h('span', { class: 'faint' }, ' → ', linked(other, fact.object_name)),
  ];
}

/** A short list of facts under a heading; hidden while there are none. */
export function knownList() {
  const list = h('ul', { class: 'known-list' });
  const all = h('p', { class: 'faint' });
  const element = h('section', { class: 'known', hidden: true, 'aria-label': 'What is known' }, h('h2', { class: 'label' }, icon('details'), 'What is known'), list, all);
  let turn = 0;

  return {
    element,
    clear() {
      turn += 1;
      element.hidden = true;
    },
    /**
     * Ask for the facts and show the first of them.
     * @param {string} path of the route @param {Object<string, any>} [query] @param {number|null} [on] the entity that they are about
     */
    async show(path, query = {}, on = null) {
      const mine = ++turn;
      try {
        const page = await get(path, { ...query, limit: FEW });
        const entity = on === null ? null : await get(`entities/${encodeURIComponent(on)}`);
        if (mine !== turn) return;
        element.hidden = page.items.length === 0;
        fill(list, page.items.map((fact) => h('li', {}, sentenceOf(fact, on))));
        fill(all, entity && h('a', { href: to('entity', on) }, `${entity.name}: ${count(entity.fact_count, 'fact')}`));
      } catch (problem) {
        if (mine === turn) complain(problem);
      }
    },
  };
}
