/** What a person says about entities and facts: every write to the knowledge graph, and the forms for it. */
import { ask, get } from '../api.js';
import { confirmed, openDialog } from './dialog.js';
import { fill, h, iconButton } from './dom.js';
import { entityPicker } from './entitypicker.js';
import { field, formOf } from './form.js';
import { TYPES } from './known.js';

const entityRoute = (id, more = '') => `entities/${encodeURIComponent(id)}${more}`;
const factRoute = (fact) => entityRoute(fact.entity_id, `/facts/${encodeURIComponent(fact.id)}`);
const rehearsal = (dryRun) => ({ dry_run: dryRun || undefined });

/** @param {number} id @param {Object<string, any>} fields */
export const changeEntity = (id, fields) => ask('PATCH', entityRoute(id), { body: fields });

/** @param {number} id @param {number} into @param {boolean} [dryRun] */
export const mergeEntity = (id, into, dryRun = false) =>
  ask('POST', entityRoute(id, '/merge'), { body: { into }, query: rehearsal(dryRun) });

/** @param {number} id @param {boolean} [dryRun] */
export const deleteEntity = (id, dryRun = false) => ask('DELETE', entityRoute(id), { query: rehearsal(dryRun) });

/** 'Not true': no model says it again. @param {{id: number, entity_id: number}} fact */
export const dismissFact = (fact) => ask('DELETE', factRoute(fact));

/**
 * Say that a person is what an entity tells of, null that it is nothing.
 * @param {number} person @param {number|null} entity
 */
export const bridge = (person, entity) =>
  ask('PATCH', `persons/${encodeURIComponent(person)}`, { body: { entity_id: entity } });

/**
 * As `bridge`, but ask first where the person is linked to another entity already.
 * @param {number} person @param {{id: number, name: string}} entity
 * @returns {Promise<any>} null where nothing was to change
 */
export async function bridgeAfterAsking(person, entity) {
  const known = await get(`persons/${encodeURIComponent(person)}`);
  if (known.entity_id === entity.id) return null;
  if (known.entity_id !== null) {
    const { name } = await get(entityRoute(known.entity_id));
    const asked = `${known.name} is linked to the entity ${name}. A person is linked to one entity at a time.`;
    if (!(await confirmed(`Link ${known.name} to ${entity.name} instead?`, h('p', {}, asked), 'Link'))) return null;
  }
  return bridge(person, entity.id);
}

/** A select of the types. @param {string} label @param {string} chosen @param {string} [every] the word for none of them */
export function typeChoice(label, chosen, every) {
  const types = Object.entries(TYPES).map(([value, [text]]) => [value, text]);
  return h(
    'select',
    { 'aria-label': label },
    [...(every ? [['', every]] : []), ...types].map(([value, text]) =>
      h('option', { value, selected: value === chosen }, text),
    ),
  );
}

/**
 * Ask for a new entity.
 * @param {string} name what was looked for
 * @param {(answer: {body: any, headers: Headers}) => void} made
 */
export function newEntity(name, made) {
  const named = field('Name', { value: name, required: true, maxLength: 200 });
  const type = typeChoice('Kind', 'person');
  const submit = async () => {
    const answer = await ask('POST', 'entities', { body: { name: named.input.value.trim(), type: type.value } });
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
 * @param {{id: number, name: string}} entity on whose page it is said
 * @param {any} fact null for a new one
 * @param {(answer: {body: any, headers: Headers}) => void} said
 */
export function sayFact(entity, fact, said) {
  const text = h('textarea', { id: 'fact-text', rows: 2, required: true, maxLength: 500, value: fact?.text ?? '' });
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
      ? await ask('PATCH', factRoute(fact), { body })
      : await ask('POST', entityRoute(entity.id, '/facts'), { body });
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

/** The other entity that a fact is about, to choose and to take away. @param {any} fact @param {number} without */
function alsoAbout(fact, without) {
  let other = fact?.object_id ? { id: fact.object_id, name: fact.object_name } : null;
  const choice = h('div', {});
  const show = () => {
    const picker = () => {
      const { element, focus } = entityPicker({
        label: 'Also about',
        without,
        choose: (entity) => ((other = entity), show()),
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
            iconButton('close', `Not about ${other.name}`, () => ((other = null), show())),
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
