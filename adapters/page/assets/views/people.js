/** Everybody: the persons with their faces, and the faces that have no name yet. */
import { get, getAll } from '../api.js';
import { rename, to } from '../router.js';
import { choosePerson } from '../parts/choose.js';
import { faceCrop } from '../parts/crop.js';
import { assign, decideMany } from '../parts/decide.js';
import { fill, h, settled } from '../parts/dom.js';
import { FaceGrid } from '../parts/facegrid.js';
import { offerLikely } from '../parts/likely.js';
import { openNamer } from '../parts/namer.js';
import { afterUndo, complain, done, operationOf } from '../parts/toast.js';
import { count } from '../parts/words.js';

/**
 * @import { FacesBatch, PersonView } from '../../shapes'
 * @import { Place, View } from '../router.js'
 */

const MOST_OPEN = 120;

/** @param {PersonView} person */
function card(person) {
  return h(
    'a',
    { class: person.hidden ? 'person-card hidden-person' : 'person-card', href: to('person', person.id) },
    faceCrop(person.cover_face_id, 320),
    h('span', { class: 'person-name' }, person.name),
    h('span', { class: 'faint' }, count(person.face_count, 'face')),
  );
}

/**
 * @param {Place} place
 * @returns {View}
 */
export function people({ query }) {
  const cards = h('div', { class: 'person-grid' });
  const state = h('div', { class: 'state slim' });
  const wanted = { q: query.get('q') ?? '', sort: query.get('sort') ?? 'faces', hidden: query.get('hidden') === '1' };
  const remember = () => {
    rename(
      to('people', '', {
        q: wanted.q,
        sort: wanted.sort === 'faces' ? '' : wanted.sort,
        hidden: wanted.hidden ? '1' : '',
      }),
    );
    load();
  };
  const unnamed = unnamedFaces(() => load());

  async function load() {
    try {
      const persons = await getAll('persons', {
        q: wanted.q,
        sort: wanted.sort,
        include_hidden: wanted.hidden || undefined,
      });
      fill(cards, persons.map(card));
      fill(
        state,
        persons.length === 0 && [
          h('h2', {}, wanted.q ? 'Nobody of that name' : 'Nobody has a name yet'),
          h('p', {}, wanted.q ? '' : 'Name a face below, or open a photo and click a face.'),
        ],
      );
      await unnamed.load();
    } catch (problem) {
      complain(problem);
    }
  }

  /** @type {HTMLInputElement} */
  const filter = h('input', {
    type: 'search',
    placeholder: 'Filter people',
    'aria-label': 'Filter people',
    value: wanted.q,
    oninput: settled(() => {
      wanted.q = filter.value.trim();
      remember();
    }, 250),
  });
  /** @type {HTMLSelectElement} */
  const sort = h(
    'select',
    { 'aria-label': 'Sort', onchange: () => ((wanted.sort = sort.value), remember()) },
    Object.entries({ faces: 'Most faces', name: 'Name' }).map(([value, text]) =>
      h('option', { value, selected: value === wanted.sort }, text),
    ),
  );
  /** @type {HTMLInputElement} */
  const hidden = h('input', {
    type: 'checkbox',
    checked: wanted.hidden,
    onchange: () => ((wanted.hidden = hidden.checked), remember()),
  });
  const again = () => load();

  return {
    title: 'People',
    element: h(
      'div',
      { class: 'page wide' },
      h(
        'div',
        { class: 'page-head' },
        h('h1', {}, 'People'),
        h(
          'div',
          { class: 'page-tools' },
          filter,
          sort,
          h('label', { class: 'check' }, hidden, 'Hidden too'),
          h('a', { class: 'button small', href: to('entities') }, 'Entities'),
        ),
      ),
      cards,
      state,
      unnamed.element,
    ),
    enter() {
      afterUndo.add(again);
      load();
    },
    leave: () => afterUndo.delete(again),
  };
}

/** The faces that nobody was assigned, to name one by one or many at once. @param {() => Promise<void>} changed */
function unnamedFaces(changed) {
  const counted = h('span', { class: 'faint' });
  /** @param {number[]} ids */
  const name = (ids) =>
    choosePerson('Who is this?', async (choice) => {
      const answer = await assign(ids, choice);
      done(`${count(ids.length, 'face')} of ${choice.name}`, answer);
      grid.select(false);
      await changed();
      const [first] = ids;
      if (first !== undefined) setTimeout(() => offerLikely(first, choice, changed, operationOf(answer)));
    });
  /** @param {FacesBatch['action']} action @param {string} text */
  const many = (action, text) => async (/** @type {number[]} */ ids) => {
    try {
      done(`${count(ids.length, 'face')} ${text}`, await decideMany(action, ids));
      grid.select(false);
      await changed();
    } catch (problem) {
      complain(problem);
    }
  };
  const grid = new FaceGrid({
    open: (face, element) => openNamer(face, element, changed),
    label: (face) => `Unnamed face ${face.id}`,
    actions: [
      { label: 'Name…', run: name },
      { label: 'Ignore strangers', run: many('ignore', 'put aside') },
      { label: 'Not faces', run: many('delete', 'taken away') },
    ],
  });
  const element = h(
    'section',
    { class: 'unnamed', hidden: true },
    h(
      'div',
      { class: 'page-head' },
      h('h2', {}, 'Who is this?', ' ', counted),
      h(
        'div',
        { class: 'page-tools' },
        h('a', { class: 'button small', href: to('review') }, 'Review groups'),
        grid.toggle,
      ),
    ),
    grid.element,
  );
  return {
    element,
    async load() {
      const [answer, stats] = await Promise.all([
        get('faces', { unassigned: true, limit: MOST_OPEN }),
        get('faces/stats'),
      ]);
      element.hidden = answer.items.length === 0;
      counted.textContent = count(stats.unassigned, 'face');
      grid.show(answer.items);
    },
  };
}
