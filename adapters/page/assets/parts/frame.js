/** The frame around every view: name, ways, search, and the line that says what is being indexed. */
import { ask, get, isStatus } from '../api.js';
import { go, here, to } from '../router.js';
import { narrowingOf } from '../photolist.js';
import { fill, h, icon, iconButton, isTyping, settled } from './dom.js';
import { progressLine } from './progress.js';
import { complain } from './toast.js';

/**
 * @import { Narrowing } from '../photolist.js'
 * @import { Place, View } from '../router.js'
 * @import { IconName } from './dom.js'
 */

/** @type {Array<[name: string, text: string, outline: IconName]>} */
const WAYS = [
  ['photos', 'Photos', 'photos'],
  ['videos', 'Videos', 'videos'],
  ['memories', 'Memories', 'calendar'],
  ['people', 'People', 'people'],
  ['folders', 'Folders', 'folders'],
  ['history', 'History', 'history'],
  ['status', 'Status', 'status'],
];
/** Views that belong to a way of another name. @type {Record<string, string>} */
const UNDER = {
  person: 'people',
  review: 'people',
  photo: 'photos',
  summaries: 'history',
  entities: 'people',
  entity: 'people',
};
const SEARCH_MS = 350;

async function signOut() {
  try {
    await ask('POST', 'logout', {});
  } catch (problem) {
    if (!isStatus(problem, 404)) return complain(problem);
  }
  location.reload();
}

/** @returns {{ element: HTMLElement, enter: (place: Place, view: View) => void }} */
export function frame() {
  const links = WAYS.map(([name, text, outline]) =>
    h('a', { href: to(name), 'data-way': name }, icon(outline), h('span', {}, text)),
  );
  const search = h('input', {
    type: 'search',
    placeholder: 'Search names, people, tags',
    'aria-label': 'Search photos',
    autocomplete: 'off',
    spellcheck: false,
  });
  const find = () => {
    const place = here();
    const wanted = search.value.trim();
    /** @type {Narrowing} */
    const kept = place.name === 'photos' ? narrowingOf(place.query) : {};
    const by = wanted && isByMeaning() ? 'meaning' : '';
    const same = (kept.q ?? '') === wanted && (kept.by ?? '') === by;
    if (!same)
      go(to('photos', '', { ...kept, q: wanted, by }), { replace: place.name === 'photos' && Boolean(kept.q) });
  };
  const meaning = h(
    'button',
    { type: 'button', class: 'by-meaning', 'aria-pressed': 'false', hidden: true },
    'by meaning',
  );
  const isByMeaning = () => meaning.getAttribute('aria-pressed') === 'true';
  meaning.addEventListener('click', () => {
    meaning.setAttribute('aria-pressed', String(!isByMeaning()));
    find();
  });
  const offer = () =>
    get('photos/search/state')
      .then(({ usable }) => {
        meaning.hidden = !usable && !isByMeaning();
      })
      .catch(complain);
  search.addEventListener('focus', offer);
  search.addEventListener('input', settled(find, SEARCH_MS));
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    find();
    search.blur();
  };
  const main = h('main', { id: 'main', tabIndex: -1 });
  const progress = progressLine();
  const element = h(
    'div',
    { class: 'frame' },
    h(
      'header',
      { class: 'bar' },
      h(
        'a',
        { class: 'brand', href: to('photos'), 'aria-label': 'imageapi, to the photos' },
        h('span', { class: 'mark', 'aria-hidden': 'true' }),
        h('span', { class: 'brand-name' }, 'imageapi'),
      ),
      h('form', { class: 'search', role: 'search', onsubmit: submit }, icon('search'), search, meaning),
      h('nav', { class: 'ways', 'aria-label': 'Views' }, links),
      iconButton('signout', 'Sign out', signOut, { class: 'icon-button sign-out' }),
    ),
    progress.element,
    main,
  );
  addEventListener('keydown', (event) => {
    if (event.key !== '/' || !element.isConnected || isTyping()) return;
    event.preventDefault();
    search.focus();
  });
  return {
    element,
    enter(place, view) {
      progress.watch(!view.bare);
      if (view.bare) return;
      fill(main, view.element);
      const way = UNDER[place.name] ?? place.name;
      for (const link of links) {
        if (link.dataset.way === way) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      }
      if (document.activeElement === search || document.activeElement === meaning) return;
      search.value = place.query.get('q') ?? '';
      const by = place.query.get('by') === 'meaning';
      meaning.setAttribute('aria-pressed', String(by));
      if (by) meaning.hidden = false;
    },
  };
}
