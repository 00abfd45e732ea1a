/** After a face was named: the unassigned faces that are likely the same person, to confirm in one action. */
import { get, isStatus } from '../api.js';
import { faceCrop } from './crop.js';
import { assign, personOf } from './decide.js';
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { complain, done } from './toast.js';
import { count } from './words.js';

/**
 * @import { FaceView } from '../../shapes'
 * @import { Choice } from './personpicker.js'
 */

const MOST = 60;

/**
 * Offer them where there are any.
 * @param {number} faceId the face that was named
 * @param {Choice} choice who it is
 * @param {() => Promise<void>} changed
 * @param {number|null} naming the operation that named it: what is confirmed is taken back with it
 */
export async function offerLikely(faceId, choice, changed, naming) {
  try {
    const { items } = await get(`image/faces/${faceId}/similar`, { limit: MOST });
    const person = items.length ? await personOf(choice) : undefined;
    if (person)
      ask(
        person,
        items.map((each) => each.face),
        changed,
        naming,
      );
  } catch (problem) {
    if (!isStatus(problem, 503)) complain(problem);
  }
}

/**
 * @param {{ id: number, name: string }} person
 * @param {FaceView[]} faces
 * @param {() => Promise<void>} changed
 * @param {number|null} naming
 */
function ask(person, faces, changed, naming) {
  const chosen = new Set(faces.map((face) => face.id));
  const button = h('button', { type: 'button', class: 'button primary' });
  const say = () => {
    button.textContent = chosen.size ? `Confirm ${count(chosen.size, 'face')}` : 'None of them';
  };
  /** @param {FaceView} face @param {Element} box */
  const toggle = (face, box) => {
    if (!chosen.delete(face.id)) chosen.add(face.id);
    box.setAttribute('aria-pressed', String(chosen.has(face.id)));
    say();
  };
  /** @param {FaceView} face */
  const choice = (face) => {
    /** @type {HTMLButtonElement} */
    const box = h(
      'button',
      {
        type: 'button',
        class: 'pick',
        'aria-pressed': 'true',
        'aria-label': `Face ${face.id}`,
        onclick: () => toggle(face, box),
      },
      faceCrop(face.id, 160),
    );
    return box;
  };
  button.addEventListener('click', async () => {
    try {
      const answer = chosen.size ? await assign([...chosen], person, naming) : null;
      dialog.close();
      if (!answer) return;
      done(`${count(chosen.size, 'more face')} of ${person.name}`, answer);
      await changed();
    } catch (problem) {
      complain(problem);
    }
  });
  say();
  const dialog = openDialog(
    `Also ${person.name}?`,
    [
      h('p', { class: 'hint' }, 'These look alike. Take away who is somebody else.'),
      h('div', { class: 'picks' }, faces.map(choice)),
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'button', class: 'button', onclick: () => dialog.close() }, 'Not now'),
        button,
      ),
    ],
    { class: 'roomy likely' },
  );
  button.focus();
}
