/** What a person decides about faces: every write to faces and persons that more than one view makes. */
import { ask, get, Problem, rehearse } from '../api.js';
import { isSameName } from './folding.js';
import { toast } from './toast.js';

/**
 * @import { Answered, Located } from '../api.js'
 * @import { BatchOutcome, Box, FacesBatch, PersonPatch } from '../../shapes'
 * @import { Choice } from './personpicker.js'
 */

/**
 * Assign faces to a person, made in the same operation where the name is new.
 * @param {number[]} ids
 * @param {Choice} choice
 * @param {number|null} [continues] the operation to which this belongs, so that one undo takes back both
 */
export const assign = (ids, choice, continues = null) =>
  decideMany('assign', ids, {
    ...(choice.id === null ? { name: choice.name } : { person_id: choice.id }),
    ...(continues === null ? {} : { continues }),
  });

/** @param {number} id */
export const unassign = (id) => ask('PATCH', `image/faces/${id}`, { body: { person_id: null } });

/**
 * The person that a choice became.
 * @param {Choice} choice
 * @returns {Promise<{ id: number, name: string }|undefined>}
 */
export async function personOf(choice) {
  if (choice.id !== null) return { id: choice.id, name: choice.name };
  const found = await get('persons', { q: choice.name, include_hidden: true });
  return found.items.find((person) => isSameName(person.name, choice.name));
}

/** Put a stranger's face aside, or take it back. @param {number} id @param {boolean} ignored */
export const ignore = (id, ignored) => ask('PATCH', `image/faces/${id}`, { body: { ignored } });

/** 'Not this person'. @param {number} id @param {number} person */
export const reject = (id, person) => ask('POST', `image/faces/${id}/reject`, { body: { person_id: person } });

/** 'Not on this photo any more', of a face that could not be carried over. @param {number} id */
export const settle = (id) => ask('DELETE', `faces/unmatched/${id}`, {});

/** 'Not a face'. @param {number} id */
export const notAFace = (id) => ask('DELETE', `image/faces/${id}`, {});

/**
 * Draw a face by hand.
 * @param {Located} photo
 * @param {Box} box
 */
export const drawFace = (photo, box) =>
  ask('POST', 'image/faces', { body: { path: photo.path, library: photo.library_id, box } });

/**
 * One decision about many faces, as one operation.
 * @param {FacesBatch['action']} action
 * @param {number[]} ids
 * @param {{ name?: string, person_id?: number, continues?: number }} [who]
 * @throws {Problem} none of them could be done; where some could not, a notice says why
 */
export async function decideMany(action, ids, who = {}) {
  return told(ids, await ask('POST', 'image/faces/batch', { body: { action, ids, ...who } }));
}

/**
 * The answer about many faces, where it is one; what failed is said.
 * @param {number[]} ids
 * @param {Answered<BatchOutcome>} answer
 */
function told(ids, answer) {
  const failed = answer.body.results.filter((each) => !each.ok);
  const why = failed[0]?.error;
  if (failed.length === ids.length) throw new Problem(409, why ? { detail: why } : {});
  if (failed.length) toast(`${failed.length} of ${ids.length} could not be done: ${why}`, { bad: true });
  return answer;
}

/**
 * Say whose the faces of a cluster are.
 * @param {number[]} ids
 * @param {Choice} choice
 * @throws {Problem} as `decideMany`
 */
export async function acceptCluster(ids, { id, name }) {
  return told(
    ids,
    await ask('POST', 'faces/clusters/accept', { body: { ids, ...(id === null ? { name } : { person_id: id }) } }),
  );
}

/** @param {number} id @param {PersonPatch} fields */
export const changePerson = (id, fields) => ask('PATCH', `persons/${id}`, { body: fields });

/** @param {number} id @param {number} into */
export const mergePerson = (id, into) => ask('POST', `persons/${id}/merge`, { body: { into } });

/** What that would change. @param {number} id @param {number} into */
export const rehearseMerge = (id, into) => rehearse('POST', `persons/${id}/merge`, { body: { into } });

/**
 * 'These are two people', so that it is never suggested again that they are one.
 * @param {number} id
 * @param {number} other
 */
export const tellApart = (id, other) => ask('POST', 'persons/suggestions/refuse', { body: { persons: [id, other] } });

/**
 * 'These faces are this person's', so that it is never suggested again that they are another's.
 * @param {number} person @param {number[]} ids
 * @throws {Problem} as `decideMany`
 */
export async function confirmFaces(person, ids) {
  return told(ids, await ask('POST', 'persons/suggestions/refuse', { body: { person_id: person, face_ids: ids } }));
}

/** @typedef {'set_null'|'delete'} Cascade what becomes of the faces of a person who is deleted */

/** @param {number} id @param {Cascade} cascade */
export const deletePerson = (id, cascade) => ask('DELETE', `persons/${id}`, { query: { cascade } });

/** What that would change. @param {number} id @param {Cascade} cascade */
export const rehearseDeletion = (id, cascade) => rehearse('DELETE', `persons/${id}`, { query: { cascade } });
