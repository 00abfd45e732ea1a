/** Who is signed in, as far as the views must know it: whether anything can be changed. */
import { get, whenSignedOut } from '../api.js';

/** @import { Me } from '../../shapes' */

/** @type {Promise<Me>|null} */
let asked = null;
whenSignedOut.add(() => {
  asked = null;
});

/**
 * Whether the visitor's role may change anything; the server decides again at every write.
 * @returns {Promise<boolean>}
 */
export async function mayEdit() {
  asked ??= get('me');
  try {
    return (await asked).role !== 'viewer';
  } catch (problem) {
    asked = null;
    throw problem;
  }
}
