/** Memories: photos of this day, week or month in earlier years, the last year first. */
import { get } from '../api.js';
import { go, to } from '../router.js';
import { fill, h } from '../parts/dom.js';
import { PhotoGrid } from '../parts/grid.js';
import { complain } from '../parts/toast.js';
import { count } from '../parts/words.js';

/**
 * @import { YearOfMemories } from '../../shapes'
 * @import { Section } from '../parts/grid.js'
 * @import { Place, View } from '../router.js'
 */

const MOST_OF_A_YEAR = 200;
/** @type {Record<string, string>} */
const SPANS = { day: 'This day', week: 'The week around it', month: 'Its month' };
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Today as this browser's clock shows it, YYYY-MM-DD. */
function today() {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

/** @param {YearOfMemories} each */
const labelOf = ({ year, years_ago: ago }) => `${count(ago, 'year')} ago · ${year}`;

/**
 * @param {Place} place
 * @returns {View}
 */
export function memories({ query }) {
  const asked = query.get('span') ?? '';
  const wanted = { date: query.get('date') || today(), span: Object.hasOwn(SPANS, asked) ? asked : 'day' };
  /** @param {{ date?: string, span?: string }} change */
  const show = (change) => go(to('memories', '', { ...wanted, ...change }), { replace: true });
  const state = h('div', { class: 'state' });
  /** @type {HTMLInputElement} */
  const day = h('input', {
    type: 'date',
    'aria-label': 'Day',
    value: wanted.date,
    onchange: () => day.value && show({ date: day.value }),
  });
  /** @type {HTMLSelectElement} */
  const span = h(
    'select',
    { 'aria-label': 'How much of the year', onchange: () => show({ span: span.value }) },
    Object.entries(SPANS).map(([value, text]) => h('option', { value, selected: value === wanted.span }, text)),
  );
  /** @type {Section[]} */
  let sections = [];
  let gone = false;
  const grid = new PhotoGrid(
    (photo) => to('photo', '', { file: photo.path, of: photo.library_id }),
    () => {},
    () => sections,
  );

  async function load() {
    const answer = await get('memories', { ...wanted, timezone: ZONE, limit: MOST_OF_A_YEAR });
    if (gone) return;
    sections = answer.items.map((each) => ({
      key: String(each.year),
      label: labelOf(each),
      several: true,
      total: each.total,
      photos: each.items,
    }));
    grid.show(answer.items.flatMap((each) => each.items));
    fill(
      state,
      !sections.length && [
        h('h2', {}, 'Nothing of earlier years'),
        h('p', {}, 'Another day, or the whole month, may hold something.'),
      ],
    );
  }

  return {
    title: 'Memories',
    element: h(
      'div',
      { class: 'timeline' },
      h(
        'div',
        { class: 'page-head memories-head' },
        h('h1', {}, 'Memories'),
        h('div', { class: 'page-tools' }, day, span),
      ),
      grid.element,
      state,
    ),
    enter: () => load().catch(complain),
    leave() {
      gone = true;
      grid.leave();
    },
  };
}
