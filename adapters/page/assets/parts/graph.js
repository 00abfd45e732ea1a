/** What a person says about entities and facts: every write to the knowledge graph, and the forms for it. */
import { ask, get, rehearse } from '../api.js';
import { confirmed, openDialog } from './dialog.js';
import { fill, h, iconButton } from './dom.js';
import { entityPicker } from './entitypicker.js';
import { field, formOf } from './form.js';
import { TYPES } from './known.js';

/**
 * @import { Answered } from '../api.js'
 * @import { EntityPatch, EntityRow, FactRow, PersonView } from '../../shapes'
 * @import { Props } from './dom.js'
 * @import { EntityType } from './known.js'
 * @typedef {{ id: number, name: string }} Named
 */

/** @param {number} id @param {EntityPatch} fields */
export const changeEntity = (id, fields) => ask('PATCH', `entities/${id}`, { body: fields });

/** @param {number} id @param {number} into */
export const mergeEntity = (id, into) => ask('POST', `entities/${id}/merge`, { body: { into } });

/** What that would change. @param {number} id @param {number} into */
export const rehearseMerge = (id, into) => rehearse('POST', `entities/${id}/merge`, { body: { into } });

/** @param {number} id */
export const deleteEntity = (id) => ask('DELETE', `entities/${id}`, {});

/** What that would change. @param {number} id */
export const rehearseDeletion = (id) => rehearse('DELETE', `entities/${id}`, {});

/** 'Not true': no model says it again. @param {FactRow} fact */
export const dismissFact = (fact) => ask('DELETE', `entities/${fact.entity_id}/facts/${fact.id}`, {});

/**
 * Say that a person is what an entity tells of, null that it is nothing.
 * @param {number} person @param {number|null} entity
 */
export const bridge = (person, entity) => ask('PATCH', `persons/${person}`, { body: { entity_id: entity } });

/**
 * As `bridge`, but ask first where the person is linked to another entity already.
 * @param {number} person @param {Named} entity
 * @returns {Promise<Answered<PersonView>|null>} null where nothing was to change
 */
export async function bridgeAfterAsking(person, entity) {
  const known = await get(`persons/${person}`);
  if (known.entity_id === entity.id) return null;
  if (known.entity_id !== null) {
    const { name } = await get(`entities/${known.entity_id}`);
    const asked = `${known.name} is linked to the entity ${name}. A person is linked to one entity at a time.`;
    if (!(await confirmed(`Link ${known.name} to ${entity.name} instead?`, h('p', {}, asked), 'Link'))) return null;
  }
  return bridge(person, entity.id);
}

/**
 * A select of the types.
 * @param {string} label @param {string} chosen @param {string} [every] the word for none of them
 */
export function typeChoice(label, chosen, every) {
  const types = Object.entries(TYPES).map(([value, [text]]) => ({ value, text }));
  return h(
    'select',
    { 'aria-label': label },
    [...(every ? [{ value: '', text: every }] : []), ...types].map(({ value, text }) =>
      h('option', { value, selected: value === chosen }, text),
    ),
  );
}

/** The type that is chosen there, where there is no word for none. @param {HTMLSelectElement} choice */
export const typeOf = (choice) => /** @type {EntityType} */ (choice.value);

/**
 * Ask for a new entity.
 * @param {string} name what was looked for
 * @param {(answer: Answered<EntityRow>) => void} made
 */
export function newEntity(name, made) {
  const named = field('Name', { value: name, required: true, maxLength: 200 });
  const type = typeChoice('Kind', 'person');
  const submit = async () => {
    const answer = await ask('POST', 'entities', { body: { name: named.input.value.trim(), type: typeOf(type) } });
    dialog.close();
    made(answer);
  };
  const dialog = openDialog(
    'New entity',
    formOf(
      [named.element, h('div', { class: 'field' }, h('span', { class: 'label' }, 'Kind'), type)],
      'Create',
      submit,
    ),
  );
  named.input.focus();
}

/**
 * Ask what is so: a new fact, or what is right in the place of one.
 * @param {Named} entity on whose page it is said
 * @param {FactRow|null} fact null for a new one
 * @param {(answer: Answered<FactRow>) => void} said
 */
export function sayFact(entity, fact, said) {
  const text = h('textarea', { id: 'fact-text', rows: 2, required: true, maxLength: 500, value: fact?.text ?? '' });
  /** @type {Props<'input'>} */
  const day = { placeholder: '2012, 2012-05 or 2012-05-31', maxLength: 10, autocomplete: 'off' };
  const since = field('Since', { ...day, value: fact?.since ?? '' });
  const until = field('Until', { ...day, value: fact?.until ?? '' });
  const about = alsoAbout(fact, fact?.entity_id ?? entity.id);
  const submit = async () => {
    const body = {
      text: text.value.trim(),
      since: since.input.value.trim() || null,
      until: until.input.value.trim() || null,
      object_id: about.id(),
    };
    const answer = fact
      ? await ask('PATCH', `entities/${fact.entity_id}/facts/${fact.id}`, { body })
      : await ask('POST', `entities/${entity.id}/facts`, { body });
    dialog.close();
    said(answer);
  };
  const fields = [
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'fact-text' }, `What is so of ${fact?.entity_name ?? entity.name}?`),
      text,
    ),
    h('div', { class: 'fact-days' }, since.element, until.element),
    about.element,
  ];
  const dialog = openDialog(fact ? 'Correct a fact' : 'A new fact', formOf(fields, 'Keep', submit));
  text.focus();
}

/**
 * The other entity that a fact is about, to choose and to take away.
 * @param {FactRow|null} fact @param {number} without
 */
function alsoAbout(fact, without) {
  /** @type {Named|null} */
  let other = fact?.object_id ? { id: fact.object_id, name: fact.object_name ?? '' } : null;
  const choice = h('div', {});
  /** @param {Named|null} entity */
  const choose = (entity) => {
    other = entity;
    show();
  };
  const show = () => {
    const picker = () => {
      const { element, focus } = entityPicker({
        label: 'Also about',
        without,
        choose: (entity) => choose(entity),
      });
      fill(choice, element);
      focus();
    };
    fill(
      choice,
      other
        ? h(
            'span',
            { class: 'chip' },
            other.name,
            iconButton('close', `Not about ${other.name}`, () => choose(null)),
          )
        : h('button', { type: 'button', class: 'button small', onclick: picker }, 'Choose an entity…'),
    );
  };
  show();
  return {
    id: () => other?.id ?? null,
    element: h('div', { class: 'field' }, h('span', { class: 'label' }, 'Also about'), choice),
  };
}
