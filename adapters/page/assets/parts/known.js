/** What is known: how entities and facts read, and the short list of them beside a photo and a person. */
import { get } from '../api.js';
import { to } from '../router.js';
import { fill, h, icon } from './dom.js';
import { complain } from './toast.js';
import { spanOf } from './words.js';

/** How many facts a short list shows. */
const FEW = 5;

/**
 * @import { EntityRow, FactRow } from '../../shapes'
 * @import { QueryOf } from '../api.js'
 * @import { IconName } from './dom.js'
 * @typedef {EntityRow['type']} EntityType
 * @typedef {'image/facts'|`entities/${number}/facts`} FactsRoute
 */

/**
 * The types of entities in words, and their outlines.
 * @type {Record<EntityType, [words: string, outline: IconName]>}
 */
export const TYPES = {
  person: ['Person', 'people'],
  place: ['Place', 'pin'],
  organisation: ['Organisation', 'organisation'],
  event: ['Event', 'calendar'],
  thing: ['Thing', 'tag'],
};

/** Whether a type of entities is called so. @param {string} text @returns {text is EntityType} */
export const isType = (text) => Object.hasOwn(TYPES, text);

/**
 * What became of the insight that a fact was read from, where it no longer stands.
 * @type {Partial<Record<FactRow['standing'], string>>}
 */
export const STANDINGS = {
  amended: 'the insight was written anew since',
  rewound: 'the conversation went back behind it',
  gone: 'the insight was taken back',
  erased: 'the faces of its photo were erased',
};

/** @param {number} id @param {string|null} name */
const linked = (id, name) => h('a', { href: to('entity', id) }, name);
const LETTER = /[\p{L}\p{N}]/u;

/**
 * Where a name stands in a text as a word of its own, -1 where it does not.
 * @param {string} text @param {string} name
 */
function placeOf(text, name) {
  const at = text.indexOf(name);
  const beside = [text[at - 1], text[at + name.length]];
  return at < 0 || beside.some((letter) => letter && LETTER.test(letter)) ? -1 : at;
}

/**
 * A text in which a name leads to its entity, or that with the name behind it.
 * @param {string} text @param {number} id @param {string} name
 */
function withLink(text, id, name) {
  const at = placeOf(text, name);
  return at < 0
    ? [text, h('span', { class: 'faint' }, ' → ', linked(id, name))]
    : [text.slice(0, at), linked(id, name), text.slice(at + name.length)];
}

/**
 * A fact as one sentence: whose it is where that is not said already, its text, its time, and the other entity.
 * @param {FactRow} fact
 * @param {number|null} [on] the entity on whose page it stands
 */
export function sentenceOf(fact, on = null) {
  const { entity_id: id, entity_name: name, text, object_id: other } = fact;
  const begins = id !== on && placeOf(text, name) === 0;
  const rest = begins ? text.slice(name.length) : text;
  const span = spanOf(fact.since, fact.until);
  return [
    id !== on && [linked(id, name), !begins && ': '],
    other === null || other === on ? rest : withLink(rest, other, fact.object_name ?? ''),
    span && h('span', { class: 'faint' }, ` ${span}`),
  ];
}

/** A short list of facts under a heading; hidden while there are none. */
export function knownList() {
  const list = h('ul', { class: 'known-list' });
  const all = h('p', { class: 'faint' });
  const element = h(
    'section',
    { class: 'known', hidden: true, 'aria-label': 'What is known' },
    h('h2', { class: 'label' }, icon('details'), 'What is known'),
    list,
    all,
  );
  let turn = 0;

  return {
    element,
    clear() {
      turn += 1;
      element.hidden = true;
    },
    /**
     * Ask for the facts and show the first of them.
     * @param {FactsRoute} path
     * @param {QueryOf<'GET', FactsRoute>} [query]
     * @param {number|null} [on] the entity that they are about
     */
    async show(path, query = {}, on = null) {
      const mine = ++turn;
      try {
        const page = await get(path, { ...query, limit: FEW });
        const entity = on === null ? null : await get(`entities/${on}`);
        if (mine !== turn) return;
        element.hidden = page.items.length === 0;
        fill(
          list,
          page.items.map((fact) => h('li', {}, sentenceOf(fact, on))),
        );
        fill(all, entity && h('a', { href: to('entity', entity.id) }, `All that is known of ${entity.name}`));
      } catch (problem) {
        if (mine === turn) complain(problem);
      }
    },
  };
}
