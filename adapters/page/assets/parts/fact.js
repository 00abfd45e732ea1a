/** A fact as a row of a list: what is so, where that comes from, and what can be said about it. */
import { pictureUrl } from '../api.js';
import { to } from '../router.js';
import { h, icon } from './dom.js';
import { sentenceOf, STANDINGS } from './known.js';
import { ago, fileName, moment } from './words.js';

/** @import { FactRow } from '../../shapes' */

/**
 * @param {FactRow} fact
 * @param {number} on the entity on whose page it stands
 * @param {Array<{ text: string, run: (fact: FactRow) => void }>} actions
 */
export function factRow(fact, on, actions) {
  const { path, library_id: of } = fact;
  const photo = path !== null && of !== null && { path, at: to('photo', '', { file: path, of }) };
  const mark = photo
    ? h(
        'a',
        { class: 'fact-photo', href: photo.at, tabIndex: -1, 'aria-hidden': 'true' },
        h('img', { src: pictureUrl({ path, library_id: of }, 'thumb'), alt: '', loading: 'lazy' }),
      )
    : h('span', { class: 'operation-mark' }, icon(fact.source ? 'insight' : 'pencil'));
  const buttons = actions.map(({ text, run }) =>
    h(
      'button',
      {
        type: 'button',
        class: 'button small quiet',
        'aria-label': `${text}: ${fact.text}`,
        onclick: () => run(fact),
      },
      text,
    ),
  );
  return h(
    'li',
    { class: fact.standing === 'stands' ? 'fact' : 'fact fallen' },
    mark,
    h(
      'div',
      { class: 'fact-words' },
      h('p', {}, sentenceOf(fact, on)),
      h('p', { class: 'faint' }, originOf(fact, photo && h('a', { href: photo.at }, fileName(photo.path)))),
    ),
    buttons.length > 0 && h('div', { class: 'fact-actions' }, buttons),
  );
}

/** Where a fact comes from, in words. @param {FactRow} fact @param {HTMLElement|false} photo a link to it */
function originOf({ source, recorded_by: by, recorded_at: when, corrected, standing }, photo) {
  const said = h('span', { title: moment(when) }, ago(when));
  const insight = photo ? ['the insight about ', photo] : 'an insight';
  const from = source ? ['Read from ', insight, ` by ${source.model}, `, said] : [`Written by ${by}, `, said];
  return [
    from,
    corrected && ' · corrected since',
    STANDINGS[standing] && h('span', { class: 'fact-standing' }, ` · ${STANDINGS[standing]}`),
  ];
}
