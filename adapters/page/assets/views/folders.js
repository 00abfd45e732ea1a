/** The folders as they lie on disk, each with its photos below. */
import { get } from '../api.js';
import { to } from '../router.js';
import { fill, h, icon } from '../parts/dom.js';
import { complain } from '../parts/toast.js';
import { count } from '../parts/words.js';
import { gridOf, refreshWhileWorking } from './timeline.js';

/**
 * @import { Folder } from '../../shapes'
 * @import { Place, View } from '../router.js'
 */

/**
 * The folders right below one, with how many files lie anywhere below them.
 * @param {Folder[]} all @param {number} library @param {string} path
 */
function below(all, library, path) {
  const prefix = path ? `${path}/` : '';
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const folder of all) {
    if (folder.library_id !== library || !folder.path.startsWith(prefix) || folder.path === path) continue;
    const [name = ''] = folder.path.slice(prefix.length).split('/');
    found.set(name, (found.get(name) ?? 0) + folder.count);
  }
  return [...found]
    .sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }))
    .map(([name, files]) => ({ name, path: prefix + name, files }));
}

/**
 * @param {Place} place
 * @returns {View}
 */
export function folders({ query }) {
  const library = query.get('library');
  const path = query.get('path') ?? '';
  const crumbs = h('nav', { class: 'crumbs', 'aria-label': 'Folder' });
  const list = h('div', { class: 'folder-list' });
  const here = new URLSearchParams({ library: library ?? '', path: path || '/', recursive: 'false' });
  const view = library ? gridOf(here, () => {}) : null;

  async function load() {
    const [answer, libraryAnswer] = await Promise.all([get('folders'), get('libraries')]);
    const libraries = libraryAnswer.items;
    const all = answer.items;
    /** @param {number} id */
    const total = (id) =>
      all.filter((folder) => folder.library_id === id).reduce((sum, folder) => sum + folder.count, 0);
    /** @param {string} name @param {number} files @param {string} address */
    const entry = (name, files, address) =>
      h(
        'a',
        { href: address },
        icon('folders'),
        h('span', { class: 'folder-name' }, name),
        h('span', { class: 'faint' }, count(files, 'item')),
      );
    const name = libraries.find((each) => String(each.id) === library)?.name ?? '';
    fill(crumbs, trail(library, name, path));
    fill(
      list,
      library
        ? below(all, Number(library), path).map((folder) =>
            entry(folder.name, folder.files, to('folders', '', { library, path: folder.path })),
          )
        : libraries.map((each) => entry(each.name, total(each.id), to('folders', '', { library: each.id }))),
    );
  }

  let stop = () => {};
  return {
    title: path || 'Folders',
    element: h('div', { class: 'folder-view' }, crumbs, list, view?.element),
    enter() {
      load().catch(complain);
      view?.enter();
      if (view) stop = refreshWhileWorking(view.refresh);
    },
    leave() {
      stop();
      view?.leave();
    },
  };
}

/** The way from the top to this folder. @param {string|null} library @param {string} name @param {string} path */
function trail(library, name, path) {
  if (!library) return h('h1', {}, 'Folders');
  const steps = [h('a', { href: to('folders') }, 'Folders'), h('a', { href: to('folders', '', { library }) }, name)];
  path
    .split('/')
    .filter(Boolean)
    .forEach((part, index, parts) =>
      steps.push(h('a', { href: to('folders', '', { library, path: parts.slice(0, index + 1).join('/') }) }, part)),
    );
  steps.at(-1)?.setAttribute('aria-current', 'page');
  return steps.flatMap((step, index) => (index ? [icon('right'), step] : [step]));
}
