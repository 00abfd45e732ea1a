/**
 * After a face was named: the unassigned faces that are likely the same person, to confirm in one action. Those that
 * are surely alike are ticked; the others stand below, unticked.
 */
import { get, isStatus } from '../api.js';
import { faceCrop } from './crop.js';
import { assign, personOf } from './decide.js';
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { complain, done } from './toast.js';
import { count } from './words.js';

/**
 * @import { SimilarFace } from '../../shapes'
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
    if (person) ask(person, [...items], changed, naming);
  } catch (problem) {
    if (!isStatus(problem, 503)) complain(problem);
  }
}

/**
 * @param {{ id: number, name: string }} person
 * @param {SimilarFace[]} likely
 * @param {() => Promise<void>} changed
 * @param {number|null} naming
 */
function ask(person, likely, changed, naming) {
  const sure = likely.filter((each) => each.preselected);
  const unsure = likely.filter((each) => !each.preselected);
  const chosen = new Set(sure.map(({ face }) => face.id));
  const button = h('button', { type: 'button', class: 'button primary' });
  const say = () => {
    button.textContent = chosen.size ? `Confirm ${count(chosen.size, 'face')}` : 'Confirm';
    button.disabled = chosen.size === 0;
  };
  /** @param {number} id @param {Element} box */
  const toggle = (id, box) => {
    if (!chosen.delete(id)) chosen.add(id);
    box.setAttribute('aria-pressed', String(chosen.has(id)));
    say();
  };
  /** @param {SimilarFace} each */
  const choice = ({ face: { id } }) => {
    /** @type {HTMLButtonElement} */
    const box = h(
      'button',
      {
        type: 'button',
        class: 'pick',
        'aria-pressed': String(chosen.has(id)),
        'aria-label': `Face ${id}`,
        onclick: () => toggle(id, box),
      },
      faceCrop(id, 160),
    );
    return box;
  };
  button.addEventListener('click', async () => {
    try {
      const answer = await assign([...chosen], person, naming);
      dialog.close();
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
      h('div', { class: 'offered' }, [
        sure.length > 0 && [
          h('p', { class: 'hint' }, 'These look alike. Take away who is somebody else.'),
          h('div', { class: 'picks' }, sure.map(choice)),
        ],
        unsure.length > 0 && [
          h('h3', { class: 'picks-divider' }, 'Less sure'),
          h('p', { class: 'hint' }, `These may be ${person.name} or somebody else. Choose the right ones.`),
          h('div', { class: 'picks unsure' }, unsure.map(choice)),
        ],
      ]),
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'button', class: 'button', onclick: () => dialog.close() }, 'Not now'),
        button,
      ),
    ],
    { class: 'roomy likely' },
  );
  // The faces stand above: to scroll down to the button would let somebody confirm what they never saw.
  const first = chosen.size ? button : dialog.element.querySelector('.pick');
  if (first instanceof HTMLElement) first.focus({ preventScroll: true });
}
