/**
 * The review: who may be one person and who two, then groups of faces without a name; each decided about with one key.
 */
import { get, getAll } from '../api.js';
import { to } from '../router.js';
import { choosePerson } from '../parts/choose.js';
import { faceCrop } from '../parts/crop.js';
import { acceptCluster, decideMany, settle } from '../parts/decide.js';
import { fill, h, isTyping } from '../parts/dom.js';
import { reviewRow } from '../parts/reviewrow.js';
import { alike, suggestionRow } from '../parts/suggestions.js';
import { afterUndo, complain, done } from '../parts/toast.js';
import { count, figure } from '../parts/words.js';

/**
 * @import { Answered } from '../api.js'
 * @import { ClusterView, UnmatchedFace } from '../../shapes'
 * @import { ReviewRow } from '../parts/reviewrow.js'
 * @import { View } from '../router.js'
 */

const MOST = 60;
/** Suggestions at once: what is decided makes room for the next. */
const MOST_SUGGESTED = 40;

/** @returns {View} */
export function review() {
  const list = h('ol', { class: 'clusters' });
  const suggested = h('ol', { class: 'clusters suggested' });
  const state = h('div', { class: 'state slim' });
  const pending = h('p', { class: 'faint', hidden: true });
  const left = h('section', { class: 'unmatched', 'aria-label': 'Names that were left behind' });
  const unnamed = h('h2', { class: 'review-part', hidden: true }, 'Faces without a name');
  /** Every row that the keys go through, the suggestions first. @type {ReviewRow[]} */
  let rows = [];
  let at = 0;
  let busy = false;

  async function load() {
    try {
      const [unmatched, suggestions, clusters, stats] = await Promise.all([
        getAll('faces/unmatched', { limit: MOST }, MOST),
        getAll('persons/suggestions', { limit: MOST_SUGGESTED }, MOST_SUGGESTED),
        getAll('faces/clusters', { limit: MOST }, MOST),
        get('faces/stats'),
      ]);
      fill(left, leftBehind(unmatched));
      const doubts = suggestions.map((each) => suggestionRow(each, { decide, chosen, load }));
      const groups = clusters.map(row);
      rows = [...doubts, ...groups];
      at = Math.min(at, Math.max(0, rows.length - 1));
      fill(
        suggested,
        doubts.map((each) => each.element),
      );
      fill(
        list,
        groups.map((each) => each.element),
      );
      unnamed.hidden = !doubts.length || !groups.length;
      pending.hidden = !stats.pending;
      fill(
        pending,
        `${figure(stats.scanned)} of ${count(stats.photos, 'photo')} are looked at: more groups come, and these grow.`,
      );
      fill(
        state,
        rows.length === 0 && [
          h('h2', {}, 'Nothing to review'),
          h('p', {}, 'No two faces without a name are alike. ', h('a', { href: to('people') }, 'To the people')),
        ],
      );
      mark();
    } catch (problem) {
      complain(problem);
    }
  }

  /**
   * The names that could not be found again on photos that were saved anew.
   * @param {UnmatchedFace[]} faces
   */
  const leftBehind = (faces) =>
    faces.length > 0 && [
      h('h2', {}, `${count(faces.length, 'name')} could not be carried over`),
      h(
        'p',
        { class: 'faint' },
        'These photos were edited, and the face is not where it was. Name it on the photo again.',
      ),
      h('ul', { class: 'plain' }, faces.map(leftBehindRow)),
    ];

  /** @param {UnmatchedFace} face */
  const leftBehindRow = (face) =>
    h(
      'li',
      {},
      h('b', {}, face.person_name ?? 'Somebody'),
      ' on ',
      h('a', { href: to('photo', '', { file: face.path, of: face.library_id }) }, face.path),
      ' ',
      h(
        'button',
        {
          type: 'button',
          class: 'button small quiet',
          onclick: () => decide('Not looked for any more', () => settle(face.id)),
        },
        'Not on it any more',
      ),
    );

  /** Show which row the keys are about. @param {boolean} [move] */
  function mark(move = false) {
    rows.forEach(({ element }, index) => {
      if (index === at) element.setAttribute('aria-current', 'true');
      else element.removeAttribute('aria-current');
    });
    if (move) rows[at]?.element.scrollIntoView({ block: 'nearest' });
  }

  /** @param {HTMLElement} element */
  function chosen(element) {
    at = Math.max(
      0,
      rows.findIndex((each) => each.element === element),
    );
    mark();
  }

  /**
   * Do one thing about a group, say so, and show what is left.
   * @param {string} text @param {() => Promise<Answered<unknown>>} write
   */
  async function decide(text, write) {
    if (busy) return;
    busy = true;
    try {
      done(text, await write());
      await load();
    } catch (problem) {
      complain(problem);
    } finally {
      busy = false;
    }
  }

  /** @param {ClusterView} cluster */
  function accept({ size, face_ids: ids, nearest }) {
    if (!nearest) return;
    const choice = { id: nearest.person_id, name: nearest.name };
    decide(`${count(size, 'face')} of ${nearest.name}`, () => acceptCluster(ids, choice));
  }

  /** @param {ClusterView} cluster */
  function rejectNearest({ face_ids: ids, nearest }) {
    if (nearest) decide(`Not ${nearest.name}`, () => decideMany('reject', ids, { person_id: nearest.person_id }));
  }

  /** @param {ClusterView} cluster */
  function name({ size, face_ids: ids }) {
    choosePerson('Who is this?', async (choice) => {
      done(`${count(size, 'face')} of ${choice.name}`, await acceptCluster(ids, choice));
      await load();
    });
  }

  /** @param {ClusterView} cluster */
  function putAside({ size, face_ids: ids }) {
    decide(`${count(size, 'face')} put aside`, () => decideMany('ignore', ids));
  }

  /** @param {number} by */
  const step = (by) => {
    at = Math.min(Math.max(0, at + by), rows.length - 1);
    mark(true);
  };

  /** @param {ClusterView} cluster @returns {ReviewRow} */
  function row(cluster) {
    const { nearest } = cluster;
    return reviewRow({
      faces: h(
        'div',
        { class: 'cluster-faces' },
        cluster.faces.map((face) => faceCrop(face.id, 224)),
      ),
      words: [
        count(cluster.size, 'face'),
        nearest && [
          nearest.preselected ? ' like ' : ', perhaps ',
          h('b', {}, nearest.name),
          h('span', { class: 'faint' }, ` ${alike(nearest.similarity)}`),
        ],
      ],
      answers: [
        nearest && {
          key: 'y',
          text: `Yes, ${nearest.name}`,
          kind: nearest.preselected ? 'primary' : 'quiet',
          run: () => accept(cluster),
        },
        nearest && { key: 'x', text: `Not ${nearest.name}`, run: () => rejectNearest(cluster) },
        { key: 'n', text: 'Name…', kind: nearest ? 'quiet' : 'primary', run: () => name(cluster) },
        { key: 'i', text: 'Ignore strangers', run: () => putAside(cluster) },
      ],
      chosen,
      data: { 'data-cluster': String(cluster.id) },
    });
  }

  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (isTyping() || document.querySelector('dialog[open]') || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { j: 1, k: -1 }[event.key];
    const act = by ? () => step(by) : rows[at]?.keys.get(event.key);
    if (!act || !rows.length) return;
    event.preventDefault();
    act();
  };
  const again = () => load();

  return {
    title: 'Review',
    element: h(
      'div',
      { class: 'page wide' },
      h(
        'div',
        { class: 'page-head' },
        h('h1', {}, 'Review'),
        h('span', { class: 'faint with-keys' }, h('kbd', {}, 'J'), ' ', h('kbd', {}, 'K'), ' next and previous'),
      ),
      pending,
      left,
      suggested,
      unnamed,
      list,
      state,
    ),
    enter() {
      afterUndo.add(again);
      addEventListener('keydown', press);
      load();
    },
    leave() {
      afterUndo.delete(again);
      removeEventListener('keydown', press);
    },
  };
}
