/** Who and what the insights and the users speak of: the entities of the knowledge graph, by name. */
import { get } from '../api.js';
import { go, rename, to } from '../router.js';
import { fill, h, icon, settled } from '../parts/dom.js';
import { newEntity, typeChoice } from '../parts/graph.js';
import { isType, TYPES } from '../parts/known.js';
import { mayEdit } from '../parts/me.js';
import { afterUndo, complain, done } from '../parts/toast.js';
import { count } from '../parts/words.js';

/**
 * @import { EntityRow } from '../../shapes'
 * @import { Place, View } from '../router.js'
 */

const PAGE = 50;
const SEARCH_MS = 250;

/** @param {EntityRow} entity */
function row(entity) {
  const { id, name, type, aliases, description, persons, fact_count: facts } = entity;
  return h(
    'li',
    {},
    h(
      'a',
      { class: 'entity-row', href: to('entity', id) },
      h('span', { class: 'operation-mark', title: TYPES[type][0] }, icon(TYPES[type][1])),
      h(
        'span',
        { class: 'entity-words' },
        h(
          'span',
          {},
          h('b', {}, name),
          aliases.length > 0 && h('span', { class: 'faint' }, ` also ${aliases.join(', ')}`),
        ),
        h('span', { class: 'faint entity-under' }, [TYPES[type][0], description].filter(Boolean).join(' · ')),
      ),
      persons.map((person) => h('span', { class: 'badge entity-person' }, icon('people'), person.name)),
      h('span', { class: 'faint entity-count' }, count(facts, 'fact')),
    ),
  );
}

/** How facts come about, and what switches that on. @param {() => void} create @param {boolean} editable */
const nothingYet = (create, editable) => [
  h('h2', {}, 'Nothing is known yet'),
  h(
    'p',
    {},
    'When a language model has written about a photo, it is asked once, in the background, who and what its text ',
    'tells of. What it says is listed here, for you to correct.',
  ),
  h(
    'p',
    {},
    'That needs a language model (',
    h('code', {}, 'OLLAMA_PRIMARY_URL'),
    ' or ',
    h('code', {}, 'OPENROUTER_API_KEY'),
    '), and is off where ',
    h('code', {}, 'ENTITIES_FROM_INSIGHTS=no'),
    ' is set.',
  ),
  editable && h('p', {}, 'Open a photo and choose “Write about this photo”, or begin by yourself.'),
  editable && h('button', { type: 'button', class: 'button', onclick: create }, 'New entity…'),
];

/**
 * @param {Place} place
 * @returns {View}
 */
export function entities({ query }) {
  const wanted = { q: query.get('q') ?? '', type: query.get('type') ?? '' };
  if (!isType(wanted.type)) wanted.type = '';
  const list = h('ul', { class: 'history-list entity-list', hidden: true });
  const state = h('div', { class: 'state slim' });
  const older = h(
    'button',
    { type: 'button', class: 'button older', hidden: true, onclick: () => more().catch(complain) },
    'More',
  );
  const create = () =>
    newEntity(
      wanted.q,
      (answer) => (done(`${answer.body.name} is an entity now`, answer), go(to('entity', answer.body.id))),
    );
  const add = h('button', { type: 'button', class: 'button small', hidden: true, onclick: create }, 'New entity…');
  /** @type {EntityRow[]} */
  let rows = [];
  /** @type {string|null} */
  let cursor = null;
  let asked = 0;

  async function more() {
    const turn = asked;
    const [page, editable] = await Promise.all([get('entities', { ...wanted, limit: PAGE, cursor }), mayEdit()]);
    if (turn !== asked) return;
    cursor = page.next_cursor;
    rows.push(...page.items);
    show(editable);
  }

  async function again() {
    asked += 1;
    rows = [];
    cursor = null;
    await more().catch(complain);
  }

  /** @param {boolean} editable */
  function show(editable) {
    const narrowed = wanted.q || wanted.type;
    fill(list, rows.map(row));
    list.hidden = rows.length === 0;
    older.hidden = !cursor;
    add.hidden = !editable || (rows.length === 0 && !narrowed);
    fill(
      state,
      rows.length === 0 &&
        (narrowed
          ? [h('h2', {}, 'Nothing found'), h('p', {}, 'No entity of this kind has that in one of its names.')]
          : nothingYet(create, editable)),
    );
  }

  const remember = () => {
    rename(to('entities', '', wanted));
    again();
  };
  const search = h('input', {
    type: 'search',
    placeholder: 'Search names',
    'aria-label': 'Search entities',
    autocomplete: 'off',
    maxLength: 200,
    value: wanted.q,
  });
  search.addEventListener(
    'input',
    settled(() => ((wanted.q = search.value.trim()), remember()), SEARCH_MS),
  );
  const type = typeChoice('Kind', wanted.type, 'Every kind');
  type.addEventListener('change', () => ((wanted.type = type.value), remember()));

  return {
    title: 'Entities',
    element: h(
      'div',
      { class: 'page' },
      h('div', { class: 'page-head' }, h('h1', {}, 'Entities'), h('div', { class: 'page-tools' }, search, type, add)),
      list,
      state,
      older,
    ),
    enter() {
      afterUndo.add(again);
      again();
    },
    leave: () => {
      asked += 1;
      afterUndo.delete(again);
    },
  };
}
