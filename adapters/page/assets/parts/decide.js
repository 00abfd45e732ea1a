/** What a person decides about faces: every write to faces and persons that more than one view makes. */
import { ask } from '../api.js';

const faceRoute = (id, more = '') => `image/faces/${encodeURIComponent(id)}${more}`;
const personRoute = (id, more = '') => `persons/${encodeURIComponent(id)}${more}`;

/** The person of a choice, made now where it is a new name. @param {import('./personpicker.js').Choice} choice */
export async function personOf(choice) {
  if (choice.id !== null) return { id: choice.id, name: choice.name };
  return (await ask('POST', 'persons', { body: { name: choice.name } })).body;
}

/** @param {number} id @param {number|null} person */
export const assign = (id, person) => ask('PATCH', faceRoute(id), { body: { person_id: person } });

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
export const drawFace = (photo, box) => ask('POST', 'image/faces', { body: { path: photo.path, library: photo.library_id, box } });

/**
 * The same for many faces, as one operation.
 * @param {'assign'|'unassign'|'delete'|'ignore'} action @param {number[]} ids @param {number} [person]
 */
export const decideMany = (action, ids, person) =>
  ask('POST', 'image/faces/batch', { body: { action, face_ids: ids, person_id: person } });

/** @param {number} id @param {Object<string, any>} fields */
export const changePerson = (id, fields) => ask('PATCH', personRoute(id), { body: fields });

/** @param {number} id @param {number} into @param {boolean} [dryRun] */
export const mergePerson = (id, into, dryRun = false) =>
  ask('POST', personRoute(id, '/merge'), { body: { into }, query: dryRun ? { dry_run: true } : {} });

/** @param {number} id @param {'set_null'|'delete'} cascade @param {boolean} [dryRun] */
export const deletePerson = (id, cascade, dryRun = false) =>
  ask('DELETE', personRoute(id), { query: { cascade, dry_run: dryRun || undefined } });
