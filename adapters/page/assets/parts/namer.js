/** The small dialog at a face: who it is, who it is not, or that it is no face at all. */
import { get } from '../api.js';
import { to } from '../router.js';
import { faceCrop } from './crop.js';
import { assign, ignore, notAFace, reject, unassign } from './decide.js';
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { offerLikely } from './likely.js';
import { personPicker } from './personpicker.js';
import { complain, done, operationOf } from './toast.js';
import { ago } from './words.js';

/**
 * @import { Answered } from '../api.js'
 * @import { FaceView, AssignmentReason } from '../../shapes'
 * @import { Choice } from './personpicker.js'
 */

const GAP = 14;

/**
 * @param {FaceView} face
 * @param {Element} beside
 * @param {() => Promise<void>} changed
 */
export function openNamer(face, beside, changed) {
  const close = () => dialog.close();
  const { person_id: person, person_name: name } = face;
  const named = person !== null;

  /**
   * Do one thing, close, say so, and show the photo anew.
   * @param {string} text @param {() => Promise<Answered<unknown>>} write
   */
  const decide = async (text, write) => {
    const answer = await write();
    close();
    done(text, answer);
    await changed();
    return answer;
  };
  /** @param {Choice} choice */
  const choose = async (choice) => {
    const answer = await decide(`This is ${choice.name}`, () => assign([face.id], choice));
    await offerLikely(face.id, choice, changed, operationOf(answer));
  };
  /** @param {string} label @param {string} text @param {() => Promise<Answered<unknown>>} write */
  const button = (label, text, write) =>
    h(
      'button',
      { type: 'button', class: 'button small quiet', onclick: () => decide(text, write).catch(complain) },
      label,
    );

  const picker = personPicker({
    choose,
    suggestions: named ? undefined : get(`image/faces/${face.id}/suggestions`).then((answer) => answer.items),
    without: named ? [person] : [],
    label: 'Who is this?',
  });
  const who = named && h('a', { class: 'namer-person', href: to('person', person), onclick: close }, name);
  const dialog = openDialog(
    named ? 'Face' : face.ignored ? 'A stranger' : 'Who is this?',
    [
      named && h('div', { class: 'namer-who' }, faceCrop(face.id, 96), who),
      named && h('p', { class: 'label' }, 'Somebody else?'),
      picker.element,
      h(
        'div',
        { class: 'namer-more' },
        named && button('Not this person', `Not ${name}`, () => reject(face.id, person)),
        named && button('Unassign', 'Unassigned', () => unassign(face.id)),
        !named && !face.ignored && button('Ignore stranger', 'A stranger, put aside', () => ignore(face.id, true)),
        face.ignored && button('Not a stranger', 'No longer put aside', () => ignore(face.id, false)),
        button('Not a face', 'Not a face', () => notAFace(face.id)),
      ),
      why(face),
    ],
    { class: 'namer' },
  );
  near(dialog.element, beside);
  picker.focus();
  return dialog;
}

/** Why the face is whose it is, asked for when it is opened. @param {FaceView} face */
function why(face) {
  const list = h('ol', { class: 'why-list' });
  /** @param {{ currentTarget: HTMLDetailsElement }} event */
  const open = async (event) => {
    if (!event.currentTarget.open || list.childElementCount) return;
    try {
      const answer = await get(`image/faces/${face.id}/history`);
      for (const reason of answer.reasons)
        list.append(h('li', { class: reason.superseded ? 'faint' : '' }, reasonText(reason)));
      if (!list.childElementCount) list.append(h('li', { class: 'faint' }, 'Nothing was decided about this face.'));
    } catch (problem) {
      complain(problem);
    }
  };
  return h('details', { class: 'why', ontoggle: open }, h('summary', {}, 'Why?'), list);
}

/** One reason in words. @param {AssignmentReason} reason */
function reasonText(reason) {
  /** @type {Record<string, string>} */
  const rules = {
    user: `${reason.actor} said so`,
    tag: `the photo has this tag, and the faces are alike: ${reason.similarity} of at least ${reason.threshold}`,
    'only-face': 'the only face on a photo with this tag',
    xmp: 'read from XMP that another program wrote',
    carried: 'carried over from the file before it was saved anew',
  };
  const who = rules[reason.rule] ?? reason.rule;
  const merged = reason.now_name && reason.now_name !== reason.person_name ? `, now ${reason.now_name}` : '';
  return `${reason.person_name}${merged}: ${who}, ${ago(reason.at)}${reason.superseded ? ' (no longer)' : ''}`;
}

/** On a wide window the dialog stands beside its face. @param {HTMLElement} dialog @param {Element} beside */
function near(dialog, beside) {
  if (innerWidth <= 640) return;
  const face = beside.getBoundingClientRect();
  const own = dialog.getBoundingClientRect();
  const right = face.right + GAP;
  const left = right + own.width < innerWidth ? right : Math.max(GAP, face.left - GAP - own.width);
  const top = Math.min(Math.max(GAP, face.top - 40), Math.max(GAP, innerHeight - own.height - 120));
  for (const [side, value] of Object.entries({ left, top })) dialog.style.setProperty(side, `${Math.round(value)}px`);
  dialog.style.setProperty('margin', '0');
}
