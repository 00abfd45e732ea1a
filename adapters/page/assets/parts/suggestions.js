/** Suggestions of the review: two names that may be one person, and faces of a person that may be somebody else's. */
import { to } from '../router.js';
import { choosePerson } from './choose.js';
import { faceCrop } from './crop.js';
import { assign, confirmFaces, decideMany, mergePerson, rehearseMerge, tellApart } from './decide.js';
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { reviewRow } from './reviewrow.js';
import { complain, done } from './toast.js';
import { count } from './words.js';

/**
 * @import { Answered } from '../api.js'
 * @import { MergeSuggestion, PersonView, SplitSuggestion } from '../../shapes'
 * @import { ReviewRow } from './reviewrow.js'
 * @typedef {object} Review
 * @property {(text: string, write: () => Promise<Answered<unknown>>) => Promise<void>} decide does one thing, says so,
 *   and shows what is left
 * @property {(row: HTMLElement) => void} chosen told which row a button was pressed in
 * @property {() => Promise<void>} load
 */

/** @param {number} similarity */
const percent = (similarity) => `${Math.round(similarity * 100)} %`;

/** @param {number} similarity */
export const alike = (similarity) => `${percent(similarity)} alike`;

/**
 * @param {MergeSuggestion|SplitSuggestion} suggestion
 * @param {Review} review
 */
export const suggestionRow = (suggestion, review) =>
  suggestion.kind === 'merge' ? mergeRow(suggestion, review) : splitRow(suggestion, review);

/** @param {{ id: number, name: string }} person */
const link = ({ id, name }) => h('a', { href: to('person', id) }, h('b', {}, name));

/**
 * @param {MergeSuggestion} suggestion
 * @param {Review} review
 * @returns {ReviewRow}
 */
function mergeRow({ person, into, similarity, names_alike: namesAlike, examples }, review) {
  /** @param {PersonView} whose @param {number[]} ids */
  const side = (whose, ids) =>
    h(
      'figure',
      { class: 'pair-side' },
      h(
        'div',
        { class: 'cluster-faces' },
        ids.map((id) => faceCrop(id, 224, `A face of ${whose.name}`)),
      ),
      h('figcaption', {}, link(whose), h('span', { class: 'faint' }, ` ${count(whose.face_count, 'face')}`)),
    );
  const why = [alike(similarity), namesAlike && 'the names are alike', 'never on the same photo'].filter(Boolean);
  const row = reviewRow({
    faces: h(
      'div',
      { class: 'pair' },
      side(
        person,
        examples.map((pair) => pair.face_id),
      ),
      side(
        into,
        examples.map((pair) => pair.other_face_id),
      ),
    ),
    words: ['Are ', h('b', {}, person.name), ' and ', h('b', {}, into.name), ' one person?', reason(why.join(' · '))],
    answers: [
      { key: 'y', text: 'Yes, one person…', kind: 'primary', run: () => askHow(person, into, review, row.element) },
      {
        key: 'x',
        text: 'No, two people',
        run: () => review.decide(`${person.name} and ${into.name} are two`, () => tellApart(person.id, into.id)),
      },
    ],
    chosen: review.chosen,
    data: { 'data-merge': `${person.id}-${into.id}` },
  });
  return row;
}

/** @param {string} text */
const reason = (text) => h('span', { class: 'faint reason' }, text);

/**
 * Say what becomes of the two, and let choose whose name stays.
 * @param {PersonView} person @param {PersonView} into @param {Review} review
 * @param {HTMLElement} row where it was asked: nothing opens once that is gone
 */
async function askHow(person, into, review, row) {
  /** The one that goes and the one that stays. @type {[PersonView, PersonView]} */
  let chosen = [person, into];
  try {
    const whole = await facesTogether(person, into);
    if (!row.isConnected) return;
    /** @param {PersonView} goes @param {PersonView} stays */
    const way = (goes, stays) =>
      h(
        'label',
        { class: 'way' },
        h('input', {
          type: 'radio',
          name: 'stays',
          value: String(stays.id),
          checked: stays === into,
          onchange() {
            chosen = [goes, stays];
          },
        }),
        h(
          'span',
          {},
          h('b', {}, `Keep the name ${stays.name}`),
          h('span', { class: 'faint' }, `${goes.name} goes, and ${stays.name} has ${count(whole, 'face')}.`),
        ),
      );
    const merge = async () => {
      const [goes, stays] = chosen;
      dialog.close();
      await review.decide(`${goes.name} is ${stays.name}`, () => mergePerson(goes.id, stays.id));
    };
    const button = h('button', { type: 'button', class: 'button primary', onclick: merge }, 'Make them one');
    const dialog = openDialog(`Are ${person.name} and ${into.name} one person?`, [
      way(person, into),
      way(into, person),
      h('p', { class: 'hint' }, 'The photos stay as they are. You can undo this at any later time.'),
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'button', class: 'button', onclick: () => dialog.close() }, 'Cancel'),
        button,
      ),
    ]);
    button.focus();
  } catch (problem) {
    complain(problem);
  }
}

/**
 * How many faces the two have together, as the server says; a merge that is not allowed says why.
 * @param {PersonView} person @param {PersonView} into
 */
async function facesTogether(person, into) {
  const { changes } = await rehearseMerge(person.id, into.id);
  const stays = changes.find((change) => change.kind === 'person' && change.id === into.id);
  const after = /** @type {{ face_count?: unknown }|null} */ (stays?.after ?? null);
  return typeof after?.face_count === 'number' ? after.face_count : person.face_count + into.face_count;
}

/**
 * @param {SplitSuggestion} suggestion
 * @param {Review} review
 * @returns {ReviewRow}
 */
function splitRow({ person, size, face_ids: ids, faces, nearest }, review) {
  const [are, they] = size === 1 ? ['is', 'It is'] : ['are', 'They are'];
  const name = () =>
    choosePerson(
      'Who is this?',
      async (choice) => {
        done(`${count(size, 'face')} of ${choice.name}`, await assign(ids, choice));
        await review.load();
      },
      { without: [person.id] },
    );
  return reviewRow({
    faces: h(
      'div',
      { class: 'cluster-faces' },
      faces.map((face) => faceCrop(face.id, 224, `A face of ${person.name}`)),
    ),
    words: [
      size === 1 ? 'Is ' : 'Are ',
      h('b', {}, size === 1 ? 'this face' : count(size, 'face')),
      ' of ',
      link(person),
      ' somebody else?',
      reason(
        nearest
          ? `Unlike the other faces of ${person.name}, but ${percent(nearest.similarity)} like ${nearest.name}`
          : `${they} unlike the other faces of ${person.name}`,
      ),
    ],
    answers: [
      nearest !== null && {
        key: 'y',
        text: `Yes, ${nearest.name}`,
        kind: 'primary',
        run: () =>
          review.decide(`${count(size, 'face')} of ${nearest.name}`, () =>
            assign(ids, { id: nearest.person_id, name: nearest.name }),
          ),
      },
      { key: 'n', text: 'Yes, name…', kind: nearest ? 'quiet' : 'primary', run: name },
      {
        key: 'u',
        text: 'Take the name off',
        run: () => review.decide(`${count(size, 'face')} without a name`, () => decideMany('unassign', ids)),
      },
      {
        key: 'x',
        text: size === 1 ? `No, it is ${person.name}` : `No, all are ${person.name}`,
        run: () => review.decide(`${count(size, 'face')} ${are} ${person.name}`, () => confirmFaces(person.id, ids)),
      },
    ],
    chosen: review.chosen,
    data: { 'data-split': `${person.id}-${ids[0]}` },
  });
}
