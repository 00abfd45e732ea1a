/** What a person decides about faces: every write to faces and persons that more than one view makes. */
import { ask, get, Problem } from '../api.js';
import { toast } from './toast.js';

const faceRoute = (id, more = '') => `image/faces/${encodeURIComponent(id)}${more}`;
const personRoute = (id, more = '') => `persons/${encodeURIComponent(id)}${more}`;

/**
 * Assign faces to a person, made in the same operation where the name is new.
 * @param {number[]} ids
 * @param {import('./personpicker.js').Choice} choice
 */
export const assign = (ids, choice) =>
  decideMany('assign', ids, choice.id === null ? { name: choice.name } : { person_id: choice.id });

/** @param {number} id */
export const unassign = (id) => ask('PATCH', faceRoute(id), { body: { person_id: null } });

/**
 * The person that a choice became.
 * @param {import('./personpicker.js').Choice} choice
 * @returns {Promise<{id: number, name: string}|undefined>}
 */
export async function personOf(choice) {
  if (choice.id !== null) return { id: choice.id, name: choice.name };
  const found = await get('persons', { q: choice.name, include_hidden: true });
  return found.items.find((person) => person.name.toLowerCase() === choice.name.toLowerCase());
}

/** Put a stranger's face aside, or take it back. @param {number} id @param {boolean} ignored */
export const ignore = (id, ignored) => ask('PATCH', faceRoute(id), { body: { ignored } });

/** 'Not this person'. @param {number} id @param {number} person */
export const reject = (id, person) => ask('POST', faceRoute(id, '/reject'), { body: { person_id: person } });

/** 'Not a face'. @param {number} id */
export const notAFace = (id) => ask('DELETE', faceRoute(id));

/**
 * Draw a face by hand.
 * @param {{path: string, library_id: number}} photo
 * @param {{x: number, y: number, w: number, h: number}} box
 */
export const drawFace = (photo, box) =>
  ask('POST', 'image/faces', { body: { path: photo.path, library: photo.library_id, box } });

/**
 * One decision about many faces, as one operation.
 * @param {'assign'|'unassign'|'delete'|'ignore'|'notice'} action
 * @param {number[]} ids
 * @param {Object<string, any>} [who]
 * @throws {Problem} none of them could be done; where some could not, a notice says why
 */
export async function decideMany(action, ids, who = {}) {
  return told(ids, await ask('POST', 'image/faces/batch', { body: { action, ids, ...who } }));
}

/** The answer about many faces, where it is one; what failed is said. */
function told(ids, answer) {
  const failed = answer.body.results.filter((each) => !each.ok);
  if (failed.length === ids.length) throw new Problem(409, { detail: failed[0].error });
  if (failed.length) toast(`${failed.length} of ${ids.length} could not be done: ${failed[0].error}`, { bad: true });
  return answer;
}

/**
 * Say whose the faces of a cluster are.
 * @param {number[]} ids
 * @param {import('./personpicker.js').Choice} choice
 * @throws {Problem} as `decideMany`
 */
export async function acceptCluster(ids, { id, name }) {
  return told(
    ids,
    await ask('POST', 'faces/clusters/accept', { body: { ids, ...(id === null ? { name } : { person_id: id }) } }),
  );
}

/** @param {number} id @param {Object<string, any>} fields */
export const changePerson = (id, fields) => ask('PATCH', personRoute(id), { body: fields });

/** @param {number} id @param {number} into @param {boolean} [dryRun] */
export const mergePerson = (id, into, dryRun = false) =>
  ask('POST', personRoute(id, '/merge'), { body: { into }, query: dryRun ? { dry_run: true } : {} });

/** @param {number} id @param {'set_null'|'delete'} cascade @param {boolean} [dryRun] */
export const deletePerson = (id, cascade, dryRun = false) =>
  ask('DELETE', personRoute(id), { query: { cascade, dry_run: dryRun || undefined } });
