/** The review: groups of faces that are likely one person's, each decided about with one key. */
import { get, getAll } from '../api.js';
import { to } from '../router.js';
import { choosePerson } from '../parts/choose.js';
import { faceCrop } from '../parts/crop.js';
import { acceptCluster, decideMany, settle } from '../parts/decide.js';
import { fill, h, isTyping } from '../parts/dom.js';
import { afterUndo, complain, done } from '../parts/toast.js';
import { count, figure } from '../parts/words.js';

/**
 * @import { Answered } from '../api.js'
 * @import { ClusterView, UnmatchedFace } from '../../shapes'
 * @import { View } from '../router.js'
 */

const MOST = 60;

/** @returns {View} */
export function review() {
  const list = h('ol', { class: 'clusters' });
  const state = h('div', { class: 'state slim' });
  const pending = h('p', { class: 'faint', hidden: true });
  const left = h('section', { class: 'unmatched', 'aria-label': 'Names that were left behind' });
  /** @type {ClusterView[]} */
  let clusters = [];
  let at = 0;
  let busy = false;

  async function load() {
    try {
      fill(left, leftBehind(await getAll('faces/unmatched', { limit: MOST }, MOST)));
      clusters = await getAll('faces/clusters', { limit: MOST }, MOST);
      const stats = await get('faces/stats');
      pending.hidden = !stats.pending;
      fill(
        pending,
        `${figure(stats.scanned)} of ${count(stats.photos, 'photo')} are looked at: more groups come, and these grow.`,
      );
      at = Math.min(at, Math.max(0, clusters.length - 1));
      fill(list, clusters.map(row));
      fill(
        state,
        clusters.length === 0 && [
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

  /** Show which group the keys are about. @param {boolean} [move] */
  function mark(move = false) {
    [...list.children].forEach((row, index) => {
      if (index === at) row.setAttribute('aria-current', 'true');
      else row.removeAttribute('aria-current');
    });
    if (move) list.children[at]?.scrollIntoView({ block: 'nearest' });
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

  /** @type {Map<string, (cluster: ClusterView) => void>} */
  const keys = new Map([
    ['y', accept],
    ['x', rejectNearest],
    ['n', name],
    ['i', putAside],
    ['j', () => step(1)],
    ['k', () => step(-1)],
  ]);

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

  /** @param {1|-1} by */
  const step = (by) => {
    at = Math.min(Math.max(0, at + by), clusters.length - 1);
    mark(true);
  };

  /** @param {ClusterView} cluster @param {number} index */
  function row(cluster, index) {
    const { nearest } = cluster;
    /** @param {string} key @param {string} text @param {'quiet'|'primary'} [kind] */
    const button = (key, text, kind = 'quiet') =>
      h(
        'button',
        {
          type: 'button',
          class: `button small ${kind}`,
          'aria-keyshortcuts': key,
          onclick: () => {
            at = index;
            mark();
            keys.get(key)?.(cluster);
          },
        },
        text,
        ' ',
        h('kbd', {}, key.toUpperCase()),
      );
    return h(
      'li',
      { class: 'cluster', 'data-cluster': String(cluster.id) },
      h(
        'div',
        { class: 'cluster-faces' },
        cluster.faces.map((face) => faceCrop(face.id, 224)),
      ),
      h(
        'div',
        { class: 'cluster-words' },
        h(
          'span',
          { class: 'cluster-size' },
          count(cluster.size, 'face'),
          nearest && [
            ' like ',
            h('b', {}, nearest.name),
            h('span', { class: 'faint' }, ` ${Math.round(nearest.similarity * 100)} % alike`),
          ],
        ),
        h(
          'div',
          { class: 'cluster-actions' },
          nearest && button('y', `Yes, ${nearest.name}`, 'primary'),
          nearest && button('x', `Not ${nearest.name}`),
          button('n', 'Name…', nearest ? 'quiet' : 'primary'),
          button('i', 'Ignore strangers'),
        ),
      ),
    );
  }

  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (isTyping() || document.querySelector('dialog[open]') || event.ctrlKey || event.metaKey || event.altKey) return;
    const [cluster, act] = [clusters[at], keys.get(event.key)];
    if (!cluster || !act) return;
    event.preventDefault();
    act(cluster);
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
        h('span', { class: 'faint' }, h('kbd', {}, 'J'), ' ', h('kbd', {}, 'K'), ' next and previous'),
      ),
      pending,
      left,
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
