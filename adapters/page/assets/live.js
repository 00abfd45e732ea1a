/**
 * What the server is doing now. Jobs come as server-sent events while the page is seen, and by asking every few seconds
 * where the stream cannot be had.
 */
import { get, isStatus, urlOf } from './api.js';

/** @import { JobRow } from '../shapes' */

const POLL_MS = 4000;

/** @type {Set<(jobs: JobRow[]) => void>} */
const listeners = new Set();
/** @type {Map<number, JobRow>} */
const jobs = new Map();
/** @type {EventSource|null} */
let stream = null;
let timer = 0;

/** @param {JobRow} job */
export const isRunning = (job) => job.state !== 'done';

/** @param {JobRow[]} rows */
function take(rows) {
  for (const row of rows) jobs.set(row.id, row);
  tell();
}

const tell = () => listeners.forEach((listener) => listener([...jobs.values()]));

async function poll() {
  clearTimeout(timer);
  if (!listeners.size || document.hidden) return;
  try {
    const answer = await get('jobs');
    jobs.clear();
    take(answer.items);
  } catch (problem) {
    if (isStatus(problem, 401)) return;
  }
  if (!stream) timer = setTimeout(poll, POLL_MS);
}

function listen() {
  if (stream || document.hidden || !listeners.size) return;
  stream = new EventSource(urlOf('jobs/stream'));
  /** @param {MessageEvent<string>} event */
  const hear = (event) => {
    const said = JSON.parse(event.data);
    take([said.items ?? said].flat());
  };
  stream.onmessage = hear;
  for (const name of ['job', 'jobs', 'progress']) stream.addEventListener(name, hear);
  stream.onerror = () => {
    if (stream?.readyState !== EventSource.CLOSED) return;
    stream = null;
    timer = setTimeout(poll, POLL_MS);
  };
}

function hush() {
  stream?.close();
  stream = null;
  clearTimeout(timer);
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) hush();
  else {
    poll();
    listen();
  }
});

/**
 * Be told of all jobs, now and whenever one changes.
 * @param {(jobs: JobRow[]) => void} listener
 * @returns {() => void} ends it
 */
export function watchJobs(listener) {
  listeners.add(listener);
  if (listeners.size === 1) {
    poll();
    listen();
  } else listener([...jobs.values()]);
  return () => {
    listeners.delete(listener);
    if (!listeners.size) hush();
  };
}
