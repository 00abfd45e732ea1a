/** The review: groups of faces that are likely one person's, each decided about with one key. */
import { getAll } from '../api.js';
import { to } from '../router.js';
import { choosePerson } from '../parts/choose.js';
import { faceCrop } from '../parts/crop.js';
import { acceptCluster, decideMany, reject } from '../parts/decide.js';
import { fill, h } from '../parts/dom.js';
import { afterUndo, complain, done } from '../parts/toast.js';
import { count } from '../parts/words.js';

const MOST = 60;

/**
 * @typedef {{id: number, size: number, face_ids: number[], faces: Array<{id: number}>,
 *   nearest: {person_id: number, name: string, similarity: number}|null}} Cluster
 */

/** @returns {import('../router.js').View} */
export function review() {
  const list = h('ol', { class: 'clusters' });
  const state = h('div', { class: 'state slim' });
  /** @type {Cluster[]} */
  let clusters = [];
  let at = 0;
  let busy = false;

  async function load() {
    try {
      clusters = await getAll('faces/clusters', { limit: MOST }, MOST);
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

  /** Show which group the keys are about. @param {boolean} [move] */
  function mark(move = false) {
    [...list.children].forEach((row, index) => {
      if (index === at) row.setAttribute('aria-current', 'true');
      else row.removeAttribute('aria-current');
    });
    if (move) list.children[at]?.scrollIntoView({ block: 'nearest' });
  }

  /** Do one thing about a group, say so, and show what is left. */
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

  /** @type {Object<string, (cluster: Cluster) => void>} */
  const keys = {
    y: (cluster) =>
      cluster.nearest &&
      decide(`${count(cluster.size, 'face')} of ${cluster.nearest.name}`, () =>
        acceptCluster(cluster.face_ids, { id: cluster.nearest.person_id }),
      ),
    x: (cluster) =>
      cluster.nearest &&
      decide(`Not ${cluster.nearest.name}`, () => reject(cluster.face_ids[0], cluster.nearest.person_id)),
    n: (cluster) =>
      choosePerson('Who is this?', async (choice) => {
        done(`${count(cluster.size, 'face')} of ${choice.name}`, await acceptCluster(cluster.face_ids, choice));
        await load();
      }),
    i: (cluster) => decide(`${count(cluster.size, 'face')} put aside`, () => decideMany('ignore', cluster.face_ids)),
    j: () => step(1),
    k: () => step(-1),
  };
  const step = (by) => {
    at = Math.min(Math.max(0, at + by), clusters.length - 1);
    mark(true);
  };

  /** @param {Cluster} cluster @param {number} index */
  function row(cluster, index) {
    const { nearest } = cluster;
    const button = (key, text, kind = 'quiet') =>
      h(
        'button',
        {
          type: 'button',
          class: `button small ${kind}`,
          'aria-keyshortcuts': key,
          onclick: () => ((at = index), mark(), keys[key](cluster)),
        },
        text,
        ' ',
        h('kbd', {}, key.toUpperCase()),
      );
    return h(
      'li',
      { class: 'cluster', 'data-cluster': cluster.id },
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

  const press = (event) => {
    const isTyping =
      /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName) || document.querySelector('dialog[open]');
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !clusters[at] || !Object.hasOwn(keys, event.key))
      return;
    event.preventDefault();
    keys[event.key](clusters[at]);
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
