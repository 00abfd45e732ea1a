/** The small dialog at a face: who it is, who it is not, or that it is no face at all. */
import { get } from '../api.js';
import { to } from '../router.js';
import { faceCrop } from './crop.js';
import { assign, ignore, notAFace, reject, unassign } from './decide.js';
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { offerLikely } from './likely.js';
import { personPicker } from './personpicker.js';
import { complain, done } from './toast.js';
import { ago } from './words.js';

const GAP = 14;

/**
 * @param {import('./facelayer.js').Face} face
 * @param {Element} beside
 * @param {() => Promise<any>|void} changed
 */
export function openNamer(face, beside, changed) {
  const close = () => dialog.close();
  const named = face.person_id !== null && face.person_id !== undefined;

  /** Do one thing, close, say so, and show the photo anew. */
  const decide = async (text, write) => {
    const answer = await write();
    close();
    done(text, answer);
    await changed();
  };
  const choose = async (choice) => {
    await decide(`This is ${choice.name}`, () => assign([face.id], choice));
    await offerLikely(face.id, choice, changed);
  };
  const button = (label, text, write) =>
    h(
      'button',
      { type: 'button', class: 'button small quiet', onclick: () => decide(text, write).catch(complain) },
      label,
    );

  const picker = personPicker({
    choose,
    suggestions: named
      ? undefined
      : get(`image/faces/${encodeURIComponent(face.id)}/suggestions`).then((answer) => answer.items),
    without: named ? [face.person_id] : [],
    label: 'Who is this?',
  });
  const who =
    named && h('a', { class: 'namer-person', href: to('person', face.person_id), onclick: close }, face.person_name);
  const dialog = openDialog(
    named ? 'Face' : face.ignored ? 'A stranger' : 'Who is this?',
    [
      named && h('div', { class: 'namer-who' }, faceCrop(face.id, 96), who),
      named && h('p', { class: 'label' }, 'Somebody else?'),
      picker.element,
      h(
        'div',
        { class: 'namer-more' },
        named && button('Not this person', `Not ${face.person_name}`, () => reject(face.id, face.person_id)),
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

/** Why the face is whose it is, asked for when it is opened. @param {import('./facelayer.js').Face} face */
function why(face) {
  const list = h('ol', { class: 'why-list' });
  const open = async (event) => {
    if (!event.target.open || list.childElementCount) return;
    try {
      const answer = await get(`image/faces/${encodeURIComponent(face.id)}/history`);
      for (const reason of answer.reasons)
        list.append(h('li', { class: reason.superseded ? 'faint' : '' }, reasonText(reason)));
      if (!list.childElementCount) list.append(h('li', { class: 'faint' }, 'Nothing was decided about this face.'));
    } catch (problem) {
      complain(problem);
    }
  };
  return h('details', { class: 'why', ontoggle: open }, h('summary', {}, 'Why?'), list);
}

/** One reason in words. @param {Object<string, any>} reason */
function reasonText(reason) {
  const who =
    {
      user: `${reason.actor} said so`,
      tag: `the photo has this tag, and the faces are alike: ${reason.similarity} of at least ${reason.threshold}`,
      'only-face': 'the only face on a photo with this tag',
      xmp: 'read from XMP that another program wrote',
      carried: 'carried over from the file before it was saved anew',
    }[reason.rule] ?? reason.rule;
  const merged = reason.now_name && reason.now_name !== reason.person_name ? `, now ${reason.now_name}` : '';
  return `${reason.person_name}${merged}: ${who}, ${ago(reason.at)}${reason.superseded ? ' (no longer)' : ''}`;
}

/** On a wide window the dialog stands beside its face. */
function near(dialog, beside) {
  if (innerWidth <= 640) return;
  const face = beside.getBoundingClientRect();
  const own = dialog.getBoundingClientRect();
  const right = face.right + GAP;
  const left = right + own.width < innerWidth ? right : Math.max(GAP, face.left - GAP - own.width);
  const top = Math.min(Math.max(GAP, face.top - 40), Math.max(GAP, innerHeight - own.height - 120));
  for (const [side, value] of [
    ['left', left],
    ['top', top],
  ])
    dialog.style.setProperty(side, `${Math.round(value)}px`);
  dialog.style.setProperty('margin', '0');
}
