/** The timeline: all photos, or those of a search, a library, a folder, a person or a tag, newest first. */
import { get } from '../api.js';
import { watchJobs } from '../live.js';
import { listOf, narrowingOf } from '../photolist.js';
import { go, to } from '../router.js';
import { fill, h, icon, iconButton } from '../parts/dom.js';
import { PhotoGrid } from '../parts/grid.js';
import { complain } from '../parts/toast.js';
import { count, longDayOf } from '../parts/words.js';

/**
 * @import { FoundPhotos, MediaRow } from '../../shapes'
 * @import { Narrowing, PhotoList } from '../photolist.js'
 * @import { Place, View } from '../router.js'
 */

const REFRESH_MS = 1500;

/** The address of a photo that is opened from a list. @param {URLSearchParams} query */
const addressOf = (query) => (/** @type {MediaRow} */ photo) =>
  to('photo', '', { file: photo.path, of: photo.library_id, ...narrowingOf(query) });

/** What was found by meaning, in one section. @param {MediaRow[]} photos */
const bestFirst = (photos) => (photos.length ? [{ key: 'best', label: 'Best first', several: true, photos }] : []);

/** How far search by meaning is. @param {FoundPhotos['embedding']} embedding */
const soFar = (embedding) =>
  embedding ? `${embedding.done} of ${count(embedding.total, 'item')} can be found by meaning so far` : '';

/**
 * A grid that follows one list.
 * @param {URLSearchParams} query which list
 * @param {(list: PhotoList) => void} changed
 */
export function gridOf(query, changed) {
  const list = listOf(query);
  let gone = false;
  const more = async () => {
    if (list.complete) return;
    try {
      await list.more(); // shared with whoever loads already, such as a photo that looks for its neighbours
      show();
    } catch (problem) {
      complain(problem);
    }
  };
  const show = () => {
    if (gone) return;
    grid.show(list.items);
    changed(list);
  };
  const grid = new PhotoGrid(addressOf(query), more, list.byMeaning ? bestFirst : undefined);
  const element = grid.element;
  const enter = () => {
    if (!list.items.length) return more();
    show();
    scrollTo(0, list.scroll);
    if (list.opened >= 0) grid.focus(list.opened);
    list.opened = -1;
    refresh().catch(complain);
  };
  const refresh = async () => {
    if (!gone && !document.hidden && (await list.refresh())) show();
  };
  const leave = () => {
    gone = true;
    list.scroll = scrollY;
    grid.leave();
  };
  return { element, enter, refresh, leave, grid, list };
}

/**
 * Look for new photos whenever a job got on, also one that began and ended between two looks.
 * @param {() => Promise<void>} refresh
 */
export function refreshWhileWorking(refresh) {
  let due = 0;
  /** @type {string|null} */
  let before = null;
  const look = () => {
    due = 0;
    refresh().catch(complain);
  };
  const end = watchJobs((jobs) => {
    const now = JSON.stringify(jobs.map(({ id, state, done }) => [id, state, done]));
    if (before !== null && now !== before && !due) due = setTimeout(look, REFRESH_MS);
    before = now;
  });
  return () => {
    end();
    clearTimeout(due);
  };
}

/**
 * @param {Place} place
 * @returns {View}
 */
export function timeline({ query }) {
  const state = h('div', { class: 'state' });
  const counted = h('p', { class: 'counted', 'aria-live': 'polite' });
  const narrowed = Object.keys(narrowingOf(query)).length > 0;
  const view = gridOf(query, (list) => {
    const total = list.total ?? (list.complete ? list.items.length : null);
    counted.textContent = list.byMeaning ? soFar(list.embedding) : total ? count(total, 'item') : '';
    fill(state, list.complete && !list.items.length && (narrowed ? nothingFound() : nothingYet()));
  });
  const stop = refreshWhileWorking(view.refresh);
  return {
    title: query.get('q') ? `“${query.get('q')}”` : 'Photos',
    element: h(
      'div',
      { class: 'timeline' },
      h('div', { class: 'toolbar' }, chips(query), counted, libraryChoice(query)),
      view.element,
      state,
    ),
    enter: view.enter,
    leave() {
      stop();
      view.leave();
    },
  };
}

const nothingFound = () => [
  h('h2', {}, 'Nothing found'),
  h('p', {}, 'Try another word: names of files, people and tags are searched.'),
];

function nothingYet() {
  return [
    h('h2', {}, 'No photos yet'),
    h('p', {}, 'Photos appear here while their folders are being indexed. Start the server with a folder, as in:'),
    h('p', {}, h('code', {}, 'imageapi serve ~/Pictures')),
    h('p', {}, h('a', { href: to('status') }, 'See what the server is doing')),
  ];
}

/** What the list is narrowed to, each with a way out. @param {URLSearchParams} query */
function chips(query) {
  /** @param {keyof Narrowing} name */
  const without = (name) => to('photos', '', { ...narrowingOf(query), [name]: '' });
  /** @param {keyof Narrowing} name @param {string|null} text */
  const chip = (name, text) =>
    h(
      'span',
      { class: 'chip' },
      text,
      iconButton('close', `Show without ${text}`, () => go(without(name))),
    );
  const person = h('span', {});
  const wanted = query.get('persons');
  if (wanted) {
    fill(person, chip('persons', 'Person'));
    get(`persons/${Number(wanted)}`)
      .then(({ name }) => fill(person, chip('persons', name)))
      .catch(complain);
  }
  return [
    query.get('q') && chip('q', `“${query.get('q')}”${query.get('by') ? ' by meaning' : ''}`),
    query.get('kind') && chip('kind', query.get('kind') === 'video' ? 'Videos' : 'Photos'),
    query.get('path') && chip('path', query.get('path')),
    query.get('from') && chip('from', `From ${longDayOf(`${query.get('from')}T00:00`)}`),
    query.get('to') && chip('to', `Until ${longDayOf(`${query.get('to')}T00:00`)}`),
    query.get('tags') && chip('tags', `#${query.get('tags')}`),
    person,
  ];
}

/** A choice of library where there is more than one. @param {URLSearchParams} query */
function libraryChoice(query) {
  const holder = h('span', { class: 'library-choice' });
  get('libraries')
    .then((answer) => {
      const libraries = answer.items;
      if (libraries.length < 2) return;
      const chosen = query.get('library') ?? '';
      /** @param {{ currentTarget: HTMLSelectElement }} event */
      const choose = (event) => go(to('photos', '', { ...narrowingOf(query), library: event.currentTarget.value }));
      fill(
        holder,
        icon('folders'),
        h(
          'select',
          { 'aria-label': 'Library', onchange: choose },
          h('option', { value: '' }, 'All libraries'),
          libraries.map((each) =>
            h('option', { value: String(each.id), selected: String(each.id) === chosen }, each.name),
          ),
        ),
      );
    })
    .catch(complain);
  return holder;
}
