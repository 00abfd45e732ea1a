/**
 * The part of the panel beside a photo where a language model writes about it and answers questions. What it says is
 * text and nothing else: no markup is made of it, so nothing in it can be followed or fetched.
 */
import { ask, get, listen } from '../api.js';
import { fill, h, icon, iconButton } from './dom.js';
import { complain, done } from './toast.js';
import { ago } from './words.js';

/**
 * @import { Address, Answered } from '../api.js'
 * @import { ChatWish, Conversation, InsightView, MessageView, ToolView } from '../../shapes'
 * @typedef {{ element: HTMLElement, text: HTMLElement }} Live where an answer appears while it is said
 */

/** Seconds for which a turn goes on in the server when this page is left, so that coming back finds the answer. */
const LINGER = 30;
const TURNS = 'insights/chat/stream';

export function insightPanel() {
  const panel = new InsightPanel();
  return { element: panel.element, clear: () => panel.clear(), show: panel.show.bind(panel) };
}

class InsightPanel {
  constructor() {
    /** @type {Address|null} */
    this.place = null;
    /** @type {InsightView|null} */
    this.insight = null;
    /** @type {AbortController|null} */
    this.working = null;
    this.written = h('div', { class: 'insight' });
    this.turns = h('div', { class: 'turns', role: 'log', 'aria-label': 'Conversation' });
    this.input = h('textarea', {
      rows: 1,
      maxLength: 8000,
      placeholder: 'Ask about this photo',
      'aria-label': 'Ask about this photo',
      onkeydown: (event) => this.#enter(event),
    });
    this.anew = h('input', { type: 'checkbox' });
    this.form = h(
      'form',
      { onsubmit: (event) => this.#submit(event) },
      this.input,
      h(
        'div',
        { class: 'actions' },
        h('label', { class: 'faint' }, this.anew, ' write it anew'),
        h('button', { type: 'submit', class: 'button small' }, 'Ask'),
      ),
    );
    this.element = h(
      'section',
      { class: 'insight', 'aria-label': 'Insight' },
      h('h2', { class: 'label' }, icon('insight'), 'Insight'),
      this.written,
      this.turns,
      this.form,
    );
    this.clear();
  }

  /** Another photo is opened, or none: whatever is still being said is no longer listened to. */
  clear() {
    this.working?.abort();
    this.working = null;
    this.form.inert = false;
    this.place = null;
    this.#fill(null);
  }

  /** @param {Address} place */
  async show(place) {
    const isSame = this.place?.path === place.path && this.place?.library === place.library;
    if (isSame && this.working) return;
    this.place = place;
    try {
      const known = await get('insights', place);
      const conversation = known.items.length ? await get('insights/chat/history', place) : null;
      if (this.place !== place) return;
      this.#fill(conversation);
      const { turn } = conversation ?? {};
      if (turn) this.#hear(this.#live(), (signal) => listen('GET', TURNS, { query: { turn }, signal }));
    } catch (problem) {
      if (this.place === place) complain(problem);
    }
  }

  /** @param {Conversation|null} conversation null where nothing was written yet */
  #fill(conversation) {
    this.insight = conversation?.insight ?? null;
    this.form.hidden = !this.insight;
    fill(this.written, this.insight ? this.#shown(this.insight) : this.#writeButton('Write about this photo'));
    fill(
      this.turns,
      conversation?.messages.slice(this.#skipped(conversation)).map((message) => this.#turn(message)),
    );
  }

  /**
   * The first messages are what the model was told and what it wrote, where that stands above already.
   * @param {Conversation} conversation
   */
  #skipped({ insight, messages }) {
    const [, second] = messages;
    return second?.role === 'assistant' && second.text === insight.text ? 2 : 1;
  }

  /** @param {InsightView} insight */
  #shown(insight) {
    /** @param {'good'|'bad'} rating @param {string} label */
    const rate = (rating, label) =>
      iconButton(rating, label, () => this.#rate(insight, insight.rating === rating ? null : rating), {
        'aria-pressed': String(insight.rating === rating),
      });
    return [
      h('h3', {}, insight.title),
      h('p', { class: 'insight-text' }, insight.text),
      h(
        'div',
        { class: 'insight-foot' },
        h('span', { class: 'faint' }, `${insight.model}, ${ago(insight.written_at)}`),
        rate('good', 'Good'),
        rate('bad', 'Not good'),
        iconButton('insight', 'Write another one', () => this.#write()),
      ),
    ];
  }

  /** @param {string} words */
  #writeButton(words) {
    return h(
      'div',
      {},
      h('button', { type: 'button', class: 'button small', onclick: () => this.#write() }, icon('insight'), words),
    );
  }

  /** @param {MessageView} message */
  #turn(message) {
    const back = iconButton('undo', 'Go back to before this', () => this.#rewind(message.index));
    return h(
      'div',
      { class: `turn ${message.role}` },
      message.tools.map(used),
      h('p', { class: 'insight-text' }, message.text),
      back,
    );
  }

  async #write() {
    const { place } = this;
    if (!place) return;
    const working = this.#begin();
    fill(
      this.written,
      h('p', { class: 'faint', role: 'status' }, 'The model is looking at the photo…'),
      this.#stopButton(working),
    );
    try {
      const answer = await ask('POST', 'insights/generate', {
        body: { ...place, agentic: true },
        signal: working.signal,
      });
      if (this.place === place) done('Insight written', answer);
    } catch (problem) {
      complain(problem);
    }
    await this.#end(working, place);
  }

  /** @param {KeyboardEvent} event */
  #enter(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const message = this.input.value.trim();
    const { place, insight } = this;
    if (!message || this.working || !place || !insight) return;
    this.turns.append(h('div', { class: 'turn user' }, h('p', { class: 'insight-text' }, message)));
    /** @type {ChatWish} */
    const body = { ...place, message, insight_id: insight.id, amend: this.anew.checked, linger: LINGER };
    this.input.value = '';
    this.anew.checked = false;
    const said = await this.#hear(this.#live(), (signal) => listen('POST', TURNS, { body, signal }));
    if (!said && !this.input.value) this.input.value = message;
  }

  /** @returns {Live} */
  #live() {
    const text = h('p', { class: 'insight-text' });
    const element = h('div', { class: 'turn assistant turn-live' }, text);
    this.turns.append(element);
    return { element, text };
  }

  /**
   * Listen to a turn to its end; whether it came to one.
   * @param {Live} live
   * @param {(signal: AbortSignal) => ReturnType<typeof listen>} begin
   */
  async #hear({ element, text }, begin) {
    const { place } = this;
    const working = this.#begin();
    let heard = false;
    /** @type {string|null} */
    let turn = null;
    const stop = this.#stopButton(working, async () => {
      if (turn) await ask('DELETE', TURNS, { query: { turn } }).catch(complain);
    });
    element.append(stop);
    try {
      for await (const { kind, data } of begin(working.signal)) {
        if (kind === 'begun') turn = data.get('turn-id');
        else if (kind === 'text') text.append(data.text);
        else if (kind === 'notice') element.insertBefore(h('p', { class: 'turn-notice' }, data.text), stop);
        else if (kind === 'tool_result') element.insertBefore(used({ ...data, arguments: {} }), text);
        else if (kind === 'error') throw new Error(data.detail);
        else if (kind === 'done') heard = true;
      }
    } catch (problem) {
      complain(problem);
    }
    await this.#end(working, place);
    return heard;
  }

  /** @param {number} index of the message that goes, with all that follow it */
  async #rewind(index) {
    const { place, insight } = this;
    if (!place || !insight) return;
    const body = { ...place, insight_id: insight.id, index };
    await this.#change('Went back', place, () => ask('POST', 'insights/chat/rewind', { body }));
  }

  /** @param {InsightView} insight @param {InsightView['rating']} rating */
  async #rate({ id }, rating) {
    const { place } = this;
    if (!place) return;
    const words = rating ? 'Rated' : 'Rating taken back';
    await this.#change(words, place, () => ask('POST', 'insights/rate', { body: { id, rating } }));
  }

  /** @param {string} words @param {Address} place @param {() => Promise<Answered<unknown>>} write */
  async #change(words, place, write) {
    if (this.working) return;
    try {
      done(words, await write());
    } catch (problem) {
      complain(problem);
    }
    if (this.place === place) await this.show(place);
  }

  /**
   * A turn lingers when it is only left, so stopping it is said as well.
   * @param {AbortController} working @param {() => Promise<void>} [say]
   */
  #stopButton(working, say = async () => {}) {
    const stop = async () => {
      await say();
      working.abort();
    };
    return h('div', {}, h('button', { type: 'button', class: 'button small', onclick: stop }, 'Stop'));
  }

  #begin() {
    this.working?.abort();
    this.working = new AbortController();
    this.form.inert = true;
    return this.working;
  }

  /** @param {AbortController} working @param {Address|null} place */
  async #end(working, place) {
    if (this.working !== working) return;
    this.working = null;
    this.form.inert = false;
    if (place && this.place === place) await this.show({ ...place });
  }
}

/** A tool that the model used. @param {ToolView} tool */
function used({ name, arguments: given, result }) {
  const asked = given && Object.keys(given).length ? `${JSON.stringify(given)}\n` : '';
  return h(
    'details',
    { class: 'turn-tools' },
    h('summary', {}, name.replaceAll('_', ' ')),
    h('code', {}, asked + JSON.stringify(result, null, 1)),
  );
}
