/** The panel beside a photo: when, where, with what, whose faces, which tags. */
import { ask, get, pictureUrl } from '../api.js';
import { to } from '../router.js';
import { faceCrop } from './crop.js';
import { fill, h, icon, iconButton } from './dom.js';
import { insightPanel } from './insight.js';
import { knownList } from './known.js';
import { complain, done } from './toast.js';
import { clockOf, companionName, fileName, fileSize, figure, folderOf, lengthOf, longDayOf } from './words.js';

/**
 * @import { Address } from '../api.js'
 * @import { FaceView, Metadata, Tag } from '../../shapes'
 * @import { IconName } from './dom.js'
 * @typedef {string|number|null|undefined|false} Line what is empty is left out
 */

export function detailsPanel() {
  const faces = h('div', { class: 'panel-people' });
  const facts = h('dl', { class: 'facts' });
  const tags = tagEditor();
  const insight = insightPanel();
  const known = knownList();
  const element = h(
    'aside',
    { class: 'panel', 'aria-label': 'Details' },
    faces,
    facts,
    tags.element,
    insight.element,
    known.element,
  );
  return {
    element,
    /** Another photo was opened; its facts are yet to come. */
    clear() {
      fill(faces);
      fill(facts);
      tags.clear();
      insight.clear();
      known.clear();
    },
    showTags: tags.show,
    showInsight: insight.show,
    /** What was read from the insights about the photo. @param {Address} place */
    showKnown: (place) => known.show('image/facts', place),
    /** @param {Metadata} metadata @param {FaceView[]} shown */
    fill(metadata, shown) {
      const people = shown.filter((face) => face.status !== 'deleted');
      fill(
        faces,
        people.map(
          ({ id, person_id: person, person_name: name }) =>
            person !== null &&
            h('a', { class: 'panel-person', href: to('person', person) }, faceCrop(id, 128), h('span', {}, name)),
        ),
      );
      fill(facts, factsOf(metadata));
    },
  };
}

/**
 * One entry: an outline that says what it is, and its lines, the first of which may lead somewhere.
 * @param {string} name
 * @param {IconName} outline
 * @param {Line[]} lines
 * @param {string} [href]
 */
function fact(name, outline, lines, href) {
  const said = lines.filter(Boolean);
  if (!said.length) return null;
  const [first, ...rest] = said;
  return [
    h('dt', {}, icon(outline), h('span', { class: 'unseen' }, name)),
    h(
      'dd',
      {},
      href
        ? h('a', { href, target: href.startsWith('#') ? null : '_blank', rel: 'noopener' }, first)
        : h('span', {}, first),
      rest.map((line) => h('span', { class: 'faint' }, line)),
    ),
  ];
}

/** @param {Metadata} metadata */
function factsOf(metadata) {
  const { make, model, lens, width, height, latitude, longitude, place, taken_at: taken, size, path, exif } = metadata;
  const device = make && model && !model.startsWith(make) ? `${make} ${model}` : (model ?? make);
  const placed = latitude !== null && longitude !== null && `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  const measures = [width && height && `${figure(width)} × ${figure(height)}`, size && fileSize(size)]
    .filter(Boolean)
    .join(' · ');
  const codecs = [metadata.video_codec, metadata.audio_codec].filter(Boolean).join(' and ');
  const film =
    metadata.kind === 'video' &&
    [lengthOf(metadata.duration), codecs, metadata.frame_rate && `${figure(metadata.frame_rate)} frames a second`]
      .filter(Boolean)
      .join(' · ');
  const folder = folderOf(path);
  return [
    fact('Taken', 'calendar', [taken && longDayOf(taken), taken && clockOf(taken)]),
    fact('Description', 'details', [
      metadata.title,
      metadata.description,
      metadata.rating && starsOf(metadata.rating),
      metadata.keywords.join(', '),
      wordsIn(exif.Artist),
    ]),
    fact('Camera', 'camera', [device, lens, exposureOf(metadata)]),
    fact('Place', 'pin', [metadata.written_place, place?.text, placed, place?.attribution]),
    fact('File', 'file', [fileName(path), measures, film, metadata.problem], pictureUrl(metadata, 'full')),
    companionsOf(metadata),
    fact(
      'Folder',
      'folders',
      [folder || 'The library itself'],
      to('folders', '', { library: metadata.library_id, path: folder }),
    ),
  ];
}

/** A rating as it is seen; -1 is what somebody rejected. @param {number} rating */
const starsOf = (rating) => (rating < 0 ? 'Rejected' : '★'.repeat(rating));

/** What a field of EXIF says, where it is something to read. @param {unknown} value */
const wordsIn = (value) => (typeof value === 'string' || typeof value === 'number' ? value : null);

/** The RAW and the clip of a photo, or the photo of either: a link to each. @param {Metadata} metadata */
function companionsOf({ companions, library_id: of }) {
  if (!companions.length) return null;
  const linked = companions.map((each) =>
    h(
      'a',
      { href: to('photo', '', { file: each.path, of }) },
      fileName(each.path),
      h('span', { class: 'faint' }, ` ${companionName(each)}`),
    ),
  );
  return [
    h('dt', {}, icon('photos'), h('span', { class: 'unseen' }, 'Companions')),
    h('dd', { class: 'companions' }, linked),
  ];
}

/** "1/250 s · f/2.8 · 35 mm · ISO 400". @param {Metadata} shot */
function exposureOf({ exposure, f_number: aperture, focal_length: focal, iso }) {
  const shutter = exposure && (exposure < 0.4 ? `1/${Math.round(1 / exposure)} s` : `${exposure} s`);
  return [shutter, aperture && `f/${aperture}`, focal && `${focal} mm`, iso && `ISO ${iso}`]
    .filter(Boolean)
    .join(' · ');
}

let lists = 0;

/** The tags of one photo, to add and take away. */
function tagEditor() {
  /** @type {Address|null} */
  let place = null;
  const id = `tags-${++lists}`;
  const chips = h('div', { class: 'tags' });
  const known = h('datalist', { id });
  const input = h('input', {
    type: 'text',
    role: 'textbox',
    placeholder: 'Add a tag',
    'aria-label': 'Add a tag',
    autocomplete: 'off',
    list: id,
    maxLength: 200,
    onfocus: () => learn(),
  });

  async function learn() {
    if (known.childElementCount) return;
    try {
      const answer = await get('image/tags/all');
      fill(
        known,
        answer.items.slice(0, 500).map((tag) => h('option', { value: tag.name })),
      );
    } catch (problem) {
      complain(problem);
    }
  }

  async function load() {
    const asked = place;
    if (!asked) return;
    try {
      const answer = await get('image/tags', asked);
      if (asked === place) fill(chips, answer.items.map(chip));
    } catch (problem) {
      if (asked === place) complain(problem);
    }
  }

  /** @param {Tag} tag */
  const chip = (tag) =>
    h(
      'span',
      { class: 'chip' },
      h('a', { href: to('photos', '', { tags: tag.name }) }, tag.name),
      iconButton('close', `Remove the tag ${tag.name}`, () => remove(tag)),
    );

  /** @param {Tag} tag */
  async function remove(tag) {
    try {
      done(`Tag ${tag.name} removed`, await ask('DELETE', 'image/tags', { query: { ...place, name: tag.name } }));
      await load();
      input.focus();
    } catch (problem) {
      complain(problem);
    }
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    const name = input.value.trim();
    if (!name || !place) return;
    try {
      const answer = await ask('POST', 'image/tags', { body: { ...place, name } });
      input.value = '';
      done(`Tagged ${name}`, answer);
      await load();
    } catch (problem) {
      complain(problem);
    }
  }

  return {
    element: h(
      'section',
      { class: 'panel-tags' },
      h('h2', { class: 'label' }, icon('tag'), 'Tags'),
      chips,
      h('form', { onsubmit: submit }, input, known),
    ),
    clear: () => fill(chips),
    /** @param {Address} opened */
    show(opened) {
      place = opened;
      load();
    },
  };
}
