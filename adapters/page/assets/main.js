/** Starts the page: its frame, and the view of each address. */
import { whenSignedOut } from './api.js';
import { forgetLists } from './photolist.js';
import { follow, here } from './router.js';
import { h, present } from './parts/dom.js';
import { frame } from './parts/frame.js';
import { entities } from './views/entities.js';
import { entity } from './views/entity.js';
import { folders } from './views/folders.js';
import { historyOf } from './views/history.js';
import { memories } from './views/memories.js';
import { people } from './views/people.js';
import { person } from './views/person.js';
import { photo } from './views/photo.js';
import { review } from './views/review.js';
import { signIn } from './views/signin.js';
import { status } from './views/status.js';
import { summaries } from './views/summaries.js';
import { timeline } from './views/timeline.js';
import { videos } from './views/videos.js';

/** @import { Place, View } from './router.js' */

/** @type {Record<string, (place: Place) => View>} */
const VIEWS = {
  photos: timeline,
  videos,
  photo,
  memories,
  folders,
  people,
  person,
  review,
  history: historyOf,
  status,
  summaries,
  entities,
  entity,
};

const app = present(document.getElementById('app'));
const page = frame();
/** @type {View|null} */
let current = null;

/** @param {View} view @param {Place} place */
function display(view, place) {
  current?.leave?.();
  current = view;
  document.title = view.title ? `${view.title} · imageapi` : 'imageapi';
  page.enter(place, view);
  if (!view.bare && app.firstElementChild !== page.element) app.replaceChildren(page.element);
  if (view.bare) app.replaceChildren(view.element);
  scrollTo(0, 0);
  view.enter?.();
}

/** @param {Place} place */
function show(place) {
  const known = Object.hasOwn(VIEWS, place.name) ? VIEWS[place.name] : undefined;
  display((known ?? nowhere)(place), place);
}

const nowhere = () => ({
  title: 'Not here',
  element: h(
    'div',
    { class: 'state' },
    h('h2', {}, 'There is no such page'),
    h('p', {}, h('a', { href: '#/photos' }, 'To the photos')),
  ),
});

let asking = false;
whenSignedOut.add(() => {
  if (asking) return;
  asking = true;
  forgetLists();
  const enter = () => {
    asking = false;
    show(here());
  };
  display(signIn(enter), here());
});

follow(show);
