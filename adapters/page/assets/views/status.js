/**
 * How the server is: what it does now, how far faces are, the libraries with their counts, and the files it cannot
 * read.
 */
import { ask, get } from '../api.js';
import { isRunning, watchJobs } from '../live.js';
import { to } from '../router.js';
import { fill, h } from '../parts/dom.js';
import { doingOf, progressText, totalOf } from '../parts/progress.js';
import { complain, toast } from '../parts/toast.js';
import { count, figure } from '../parts/words.js';

/**
 * @import { FaceStats, Health, JobRow, LibraryView } from '../../shapes'
 * @import { View } from '../router.js'
 */

const REFRESH_MS = 3000;

/** @returns {View} */
export function status() {
  const jobs = h('div', { class: 'cards' });
  const faces = h('div', {});
  const libraries = h('div', { class: 'cards' });
  const health = h('div', {});
  let due = 0;
  let end = () => {};
  let stopped = false;

  async function load() {
    clearTimeout(due);
    due = 0;
    const results = await Promise.allSettled([get('faces/stats'), get('libraries'), get('health')]);
    if (stopped) return;
    const [stats, all, condition] = results;
    if (stats.status === 'fulfilled') fill(faces, facesCard(stats.value));
    if (all.status === 'fulfilled')
      fill(
        libraries,
        all.value.items.map((library) => libraryCard(library, load)),
      );
    if (condition.status === 'fulfilled') fill(health, healthCard(condition.value));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) complain(failed.reason);
  }

  /** @param {JobRow[]} all */
  const showJobs = (all) => {
    const running = all.filter(isRunning);
    fill(
      jobs,
      running.length ? running.map(jobCard) : h('p', { class: 'faint' }, 'Nothing: everything is up to date.'),
    );
    if (running.length && !due) due = setTimeout(load, REFRESH_MS);
  };

  return {
    title: 'Status',
    element: h(
      'div',
      { class: 'page' },
      h('div', { class: 'page-head' }, h('h1', {}, 'Status')),
      h('section', { class: 'block' }, h('h2', {}, 'Being done now'), jobs),
      h('section', { class: 'block' }, h('h2', {}, 'Faces'), faces),
      h('section', { class: 'block' }, h('h2', {}, 'Libraries'), libraries),
      h('section', { class: 'block' }, h('h2', {}, 'Server'), health),
    ),
    enter() {
      end = watchJobs(showJobs);
      load();
    },
    leave() {
      stopped = true;
      clearTimeout(due);
      end();
    },
  };
}

/** @param {JobRow} job */
function jobCard(job) {
  const meter = h('progress', { 'aria-label': doingOf(job) });
  if (totalOf(job)) Object.assign(meter, { max: job.total, value: job.done });
  return h('div', { class: 'card job' }, h('p', { class: 'job-text' }, progressText(job)), meter);
}

/** @param {FaceStats} stats */
function facesCard(stats) {
  /** @type {Array<[name: string, value: number, text: string]>} */
  const all = [
    ['with-faces', stats.with_faces, 'with faces'],
    ['no-faces', stats.no_faces, 'without'],
    ['failed', stats.failed, 'failed'],
    ['pending', stats.pending, 'to be looked at'],
  ];
  const parts = all.filter(([, value]) => value > 0);
  const bar = parts.map(([name, value, text]) => {
    const part = h('span', { class: `share ${name}`, title: `${figure(value)} ${text}` });
    part.style.setProperty('flex-grow', String(value));
    return part;
  });
  return h(
    'div',
    { class: 'card' },
    h('div', { class: 'shares', 'aria-hidden': 'true' }, bar),
    h(
      'p',
      {},
      `${figure(stats.scanned)} of ${count(stats.photos, 'photo')} looked at: `,
      parts.map(([, value, text]) => `${figure(value)} ${text}`).join(', '),
    ),
    h(
      'p',
      { class: 'faint' },
      `${count(stats.faces, 'face')} of ${count(stats.persons, 'person', 'persons')}, `,
      h('a', { href: to('people') }, `${figure(stats.unassigned)} without a name`),
    ),
  );
}

/** @param {LibraryView} library @param {() => void} changed */
function libraryCard(library, changed) {
  const problems = h('ul', { class: 'problems' });
  const listed = h(
    'details',
    { class: 'why' },
    h('summary', {}, `${count(library.problems, 'file or folder', 'files or folders')} not, or not wholly, shown`),
    problems,
  );
  const open = async () => {
    if (!listed.open || problems.childElementCount) return;
    try {
      const answer = await get(`libraries/${library.id}/problems`, { limit: 200 });
      fill(
        problems,
        answer.items.map((each) =>
          h('li', {}, h('b', {}, each.path || library.name), h('span', { class: 'faint' }, each.problem)),
        ),
      );
      if (answer.items.length < library.problems)
        problems.append(h('li', { class: 'faint' }, `and ${figure(library.problems - answer.items.length)} more`));
    } catch (problem) {
      complain(problem);
    }
  };
  listed.addEventListener('toggle', open);
  const scan = async () => {
    try {
      await ask('POST', `libraries/${library.id}/scan`, {});
      toast(`Looking through ${library.name}`);
      changed();
    } catch (problem) {
      complain(problem);
    }
  };
  const counts = [count(library.photos, 'photo'), library.videos > 0 && count(library.videos, 'video')].filter(Boolean);
  return h(
    'div',
    { class: 'card' },
    h(
      'div',
      { class: 'card-head' },
      h('h3', {}, h('a', { href: to('photos', '', { library: library.id }) }, library.name)),
      library.state !== 'waiting' && h('button', { type: 'button', class: 'button small', onclick: scan }, 'Scan now'),
    ),
    h('p', { class: 'faint path' }, library.root ?? ''),
    library.offline && troubleOf(library, changed),
    h('p', {}, counts.join(', ')),
    library.problems > 0 && listed,
  );
}

/**
 * Why a library is not looked at, and what an admin or editor can say of it.
 * @param {LibraryView} library @param {() => void} changed
 */
function troubleOf(library, changed) {
  /** @param {string} text @param {() => Promise<unknown>} say @param {string} done */
  const word = (text, say, done) => {
    const onclick = async () => {
      try {
        await say();
        toast(done);
        changed();
      } catch (problem) {
        complain(problem);
      }
    };
    return h('button', { type: 'button', class: 'button small', onclick }, text);
  };
  const looking = `Looking through ${library.name}`;
  const { moved_from: from, root, id, reason } = library;
  if (library.state === 'waiting') {
    const part = from && `${figure(from.here)} of the ${count(from.files, 'file')} of ${from.name}`;
    const text = part
      ? `It waits: ${part}, whose folder is gone, are here.`
      : 'It waits until an admin says which library it is.';
    return h(
      'div',
      { class: 'trouble' },
      h('p', {}, text),
      h(
        'p',
        { class: 'toolbar' },
        from &&
          word(
            `It is ${from.name}, moved here`,
            () => ask('PATCH', `libraries/${from.id}`, { body: { root } }),
            `${from.name} is served from here now`,
          ),
        word('It is a library of its own', () => ask('POST', `libraries/${id}/scan`, {}), looking),
      ),
    );
  }
  if (library.state === 'held')
    return h(
      'div',
      { class: 'trouble' },
      h('p', {}, reason ?? 'So much of it is gone at once that nothing is marked as removed.'),
      h(
        'p',
        { class: 'toolbar' },
        word(
          'They were deleted',
          () => ask('POST', `libraries/${id}/scan`, { query: { accept_missing: true } }),
          looking,
        ),
      ),
    );
  return h('p', { class: 'trouble' }, 'Its folder cannot be reached. Nothing is marked as removed meanwhile.');
}

/** @param {Health} condition */
function healthCard({ status: overall, parts }) {
  return h(
    'div',
    { class: 'card' },
    h('p', {}, h('b', {}, overall === 'ok' ? 'All is well' : overall)),
    h(
      'dl',
      { class: 'health' },
      Object.entries(parts).map(([name, part]) => [
        h('dt', {}, name.replaceAll('_', ' ')),
        h('dd', {}, [part.status, part.detail].filter(Boolean).join(': ')),
      ]),
    ),
  );
}
