/** The wall of videos: every video by month, those in the window in motion. */
import { ClipWall } from '../parts/clipwall.js';
import { fill, h } from '../parts/dom.js';
import { count } from '../parts/words.js';
import { gridOf, refreshWhileWorking } from './timeline.js';

/** @import { Place, View } from '../router.js' */

/**
 * @param {Place} place
 * @returns {View}
 */
export function videos({ query }) {
  const narrowed = new URLSearchParams(query);
  narrowed.set('kind', 'video');
  const state = h('div', { class: 'state' });
  const counted = h('p', { class: 'counted', 'aria-live': 'polite' });
  const wall = new ClipWall();
  const view = gridOf(narrowed, (list) => {
    const total = list.total ?? (list.complete ? list.items.length : null);
    counted.textContent = total ? count(total, 'video') : '';
    fill(
      state,
      list.complete &&
        !list.items.length && [
          h('h2', {}, 'No videos yet'),
          h('p', {}, 'Videos appear here while their folders are being indexed.'),
        ],
    );
  });
  view.grid.ontile = (photo, tile) => wall.take(photo, tile);
  const stop = refreshWhileWorking(view.refresh);
  return {
    title: 'Videos',
    element: h(
      'div',
      { class: 'timeline wall' },
      h('h1', { class: 'unseen' }, 'Videos'),
      h('div', { class: 'toolbar' }, counted),
      view.element,
      state,
    ),
    enter: view.enter,
    leave() {
      stop();
      wall.leave();
      view.leave();
    },
  };
}
