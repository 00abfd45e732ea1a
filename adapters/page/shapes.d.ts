/*
 * The API's shapes, as the server declares them: what each route reads of a query, takes as its body and answers.
 * Written by `.venv/bin/python -m tests.page.shapes`; a test holds this file to the OpenAPI document.
 */

/** One page of a list; `next_cursor` is null on the last one. */
export interface Page<Row> {
  items: Row[];
  next_cursor: string | null;
}

export interface AlikeFaces {
  face_id: number;
  other_face_id: number;
  similarity: number;
}

export interface ApiKeyRow {
  id: number;
  name: string;
  scope: string;
  user_id: number;
  username: string;
  made_at: string;
  expires_at: string | null;
  used_at: string | null;
}

export interface AssignmentReason {
  person_id: number;
  person_name: string;
  now_id: number | null;
  now_name: string | null;
  rule: string;
  actor: string;
  at: string;
  operation_id: number;
  model_version: string | null;
  similarity: number | null;
  threshold: number | null;
  superseded: boolean;
}

export interface BatchOutcome {
  results: Outcome[];
  operation_id: number | null;
}

export interface BootstrapOutcome {
  results: Bootstrapped[];
  operation_id: number | null;
}

export interface Bootstrapped {
  id: number | null;
  name: string;
  ok: boolean;
  person_id?: number | null;
  error?: string | null;
}

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface BoxGiven {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface BridgedPerson {
  id: number;
  name: string;
}

export interface Change {
  kind: string;
  id: number;
  before: unknown;
  after: unknown;
}

export interface ChatWish {
  path: string;
  message: string;
  library?: number | string | null;
  insight_id?: number | null;
  backend?: 'hybrid' | 'local';
  model?: string | null;
  agentic?: boolean;
  max_iterations?: number | null;
  amend?: boolean;
  linger?: number;
}

export interface ClipRow {
  path: string;
  library_id: number | null;
  status: 'failed' | 'pending' | 'ready';
  detail: string | null;
}

export interface ClipRows {
  items: ClipRow[];
}

export interface ClipStatus {
  status: 'failed' | 'pending' | 'ready';
  detail?: string | null;
}

export interface ClipsWanted {
  items: VideoWanted[];
  kind?: 'gif' | 'preview';
}

export interface ClusterAccepted {
  ids?: number[] | null;
  cluster?: number | null;
  size?: number | null;
  without?: number[];
  library?: number | string | null;
  person_id?: number | null;
  name?: string | null;
}

export interface ClusterView {
  id: number;
  size: number;
  tightness: number;
  face_ids: number[];
  faces: FaceView[];
  nearest: Suggestion | null;
}

export interface Companion {
  id: number;
  path: string;
  kind: string;
  format: string | null;
}

export interface Conversation {
  insight: InsightView;
  messages: MessageView[];
  version: number;
  turn: string | null;
}

export interface Credentials {
  username: string;
  password: string;
}

export interface Done {
  operation_id: number | null;
}

export interface DrawnFace {
  path: string;
  box: BoxGiven;
  library?: number | string | null;
  person_id?: number | null;
}

export interface EmbeddingProgress {
  done: number;
  total: number;
}

export interface EmbeddingRow {
  id: number;
  content_hash: string;
  person_id: number | null;
  model_version: string;
  embedding: string;
  dimensions: number;
}

export interface EntityPatch {
  name?: string;
  type?: 'event' | 'organisation' | 'person' | 'place' | 'thing';
  description?: string;
  aliases?: string[];
}

export interface EntityRow {
  id: number;
  name: string;
  type: 'event' | 'organisation' | 'person' | 'place' | 'thing';
  description: string;
  aliases: string[];
  fact_count: number;
  merged_into: number | null;
  version: number;
  persons: BridgedPerson[];
}

export interface EventPage {
  items: FeedEvent[];
  last: number;
  head: number;
}

export interface EventRow {
  position: number;
  type: string;
  at: string;
  data: { [name: string]: unknown };
}

export interface FaceHistory {
  face: FaceView;
  found_by: string;
  reasons: AssignmentReason[];
  events: EventRow[];
}

export interface FacePatch {
  person_id?: number | null;
  ignored?: boolean;
  box?: BoxGiven;
}

export interface FaceQuality {
  sharpness: number;
  size: number;
  yaw?: number | null;
}

export interface FaceStats {
  photos: number;
  scanned: number;
  with_faces: number;
  no_faces: number;
  failed: number;
  pending: number;
  faces: number;
  unassigned: number;
  persons: number;
}

export interface FaceView {
  id: number;
  content_hash: string;
  box: Box;
  confidence: number | null;
  quality: FaceQuality | null;
  source: string;
  status: string;
  model_version: string;
  person_id: number | null;
  person_name: string | null;
  ignored: boolean;
  embedded: boolean;
  library_id: number;
  path: string;
  version: number;
}

export interface FacesBatch {
  ids: number[];
  action: 'assign' | 'delete' | 'ignore' | 'notice' | 'reject' | 'unassign';
  person_id?: number | null;
  name?: string | null;
  continues?: number | null;
}

export interface FactPatch {
  text?: string;
  object_id?: number | null;
  since?: string | null;
  until?: string | null;
}

export interface FactRow {
  id: number;
  entity_id: number;
  entity_name: string;
  text: string;
  object_id: number | null;
  object_name: string | null;
  since: string | null;
  until: string | null;
  standing: 'amended' | 'erased' | 'gone' | 'rewound' | 'stands';
  corrected: boolean;
  source: FactSource | null;
  library_id: number | null;
  path: string | null;
  recorded_by: string;
  recorded_at: string;
  version: number;
}

export interface FactSource {
  insight_id: number;
  insight_version: number;
  content_hash: string;
  model: string;
  prompt_version: number;
}

export interface FeedEvent {
  position: number;
  type: string;
  subject: string;
  at: string;
  actor: string;
  operation_id: number;
  data: { [name: string]: unknown };
}

export interface FieldError {
  field: string;
  message: string;
}

export interface FileProblem {
  id: number | null;
  library_id: number;
  path: string;
  problem: string;
}

export interface Folder {
  library_id: number;
  path: string;
  count: number;
}

export interface Folders {
  items: Folder[];
  next_cursor?: null;
}

export interface FoundPhotos {
  items: FoundRow[];
  next_cursor: string | null;
  embedding: EmbeddingProgress | null;
}

export interface FoundRow {
  id: number;
  library_id: number;
  path: string;
  name: string;
  content_hash: string;
  kind: string;
  format: string | null;
  size: number;
  width: number | null;
  height: number | null;
  taken_at: string | null;
  taken_source: string | null;
  offset_source: string | null;
  title: string | null;
  description: string | null;
  rating: number | null;
  keywords: string[];
  written_place: string | null;
  make: string | null;
  model: string | null;
  lens: string | null;
  latitude: number | null;
  longitude: number | null;
  placeholder: string | null;
  problem: string | null;
  duration: number | null;
  video_codec: string | null;
  audio_codec: string | null;
  frame_rate: number | null;
  bit_rate: number | null;
  motion: boolean;
  modified_at: string;
  discovered_at: string;
  tags: string[];
  companions: Companion[];
  score: number;
}

export interface GenerateSummaries {
  from?: string | null;
  to?: string | null;
  contacts?: string[];
  again?: boolean;
}

export interface GenerateWish {
  path: string;
  library?: number | string | null;
  message?: string;
  backend?: 'hybrid' | 'local';
  model?: string | null;
  agentic?: boolean;
  max_iterations?: number | null;
  amend?: boolean;
}

export interface GenerationRow {
  number: number;
  state: 'building' | 'live' | 'old' | 'other' | 'scratch';
  fingerprint: string;
  position: number;
  progress: number;
  rows: { [name: string]: number };
}

export interface Health {
  status: 'degraded' | 'down' | 'ok';
  version: string;
  parts: { [name: string]: PartHealth };
}

export interface HitView {
  summary: SummaryView;
  similarity: number;
}

export interface Hits {
  items: HitView[];
  model: string;
  pending: number;
}

export interface InsightView {
  id: number;
  content_hash: string;
  library_id: number;
  path: string;
  title: string;
  text: string;
  model: string;
  backend: string;
  agentic: boolean;
  amends: number | null;
  rating: 'bad' | 'good' | null;
  written_at: string;
  version: number;
}

export interface Invitation {
  role?: 'admin' | 'editor' | 'viewer';
  libraries?: number[] | null;
}

export interface Invited {
  code: string;
  address: string;
}

export interface IssuedApiKey {
  key: string;
  id: number;
  name: string;
  scope: string;
  made_at: string;
  expires_at: string | null;
}

export interface JobRow {
  id: number;
  kind: string;
  title: string;
  state: string;
  done: number;
  total: number | null;
  rate: number | null;
  seconds_left: number | null;
  note: string | null;
  began_at: string;
  ended_at: string | null;
}

export interface LibraryPatch {
  name?: string | null;
  root?: string | null;
  keywords_as_tags?: boolean | null;
}

export interface LibraryView {
  id: number;
  name: string;
  root: string | null;
  photos: number;
  videos: number;
  problems: number;
  state: 'held' | 'offline' | 'scanned' | 'waiting';
  offline: boolean;
  reason: string | null;
  moved_from: MovedFrom | null;
  watched: 'native' | 'off' | 'polling';
  watched_reason: string | null;
  keywords_as_tags: boolean;
  version: number;
}

export interface Me {
  id: number;
  username: string;
  name: string;
  role: string;
  libraries: number[] | null;
  version: number;
  key: string | null;
}

export interface MediaRow {
  id: number;
  library_id: number;
  path: string;
  name: string;
  content_hash: string;
  kind: string;
  format: string | null;
  size: number;
  width: number | null;
  height: number | null;
  taken_at: string | null;
  taken_source: string | null;
  offset_source: string | null;
  title: string | null;
  description: string | null;
  rating: number | null;
  keywords: string[];
  written_place: string | null;
  make: string | null;
  model: string | null;
  lens: string | null;
  latitude: number | null;
  longitude: number | null;
  placeholder: string | null;
  problem: string | null;
  duration: number | null;
  video_codec: string | null;
  audio_codec: string | null;
  frame_rate: number | null;
  bit_rate: number | null;
  motion: boolean;
  modified_at: string;
  discovered_at: string;
  tags: string[];
  companions: Companion[];
}

export interface MemoriesPage {
  date: string;
  span: 'day' | 'month' | 'week';
  items: YearOfMemories[];
  next_cursor?: null;
}

export interface MergeEntity {
  into: number;
}

export interface MergeInto {
  into: number;
}

export interface MergeSuggestion {
  kind: 'merge';
  person: PersonView;
  into: PersonView;
  similarity: number;
  threshold: number;
  names_alike: boolean;
  examples: AlikeFaces[];
}

export interface MergeTag {
  into: number;
}

export interface MessageView {
  index: number;
  role: 'assistant' | 'user';
  text: string;
  model: string | null;
  tools: ToolView[];
}

export interface Metadata {
  library_id: number;
  path: string;
  kind: string;
  size: number;
  content_hash: string | null;
  format: string | null;
  width: number | null;
  height: number | null;
  orientation: number | null;
  taken_at: string | null;
  taken_source: string | null;
  offset_source: string | null;
  title: string | null;
  description: string | null;
  rating: number | null;
  keywords: string[];
  written_place: string | null;
  make: string | null;
  model: string | null;
  lens: string | null;
  exposure: number | null;
  f_number: number | null;
  iso: number | null;
  focal_length: number | null;
  latitude: number | null;
  longitude: number | null;
  altitude: number | null;
  place: PlaceShown | null;
  duration: number | null;
  video_codec: string | null;
  audio_codec: string | null;
  frame_rate: number | null;
  bit_rate: number | null;
  motion: boolean;
  problem: string | null;
  companions: Companion[];
  exif: { [name: string]: unknown };
}

export interface ModelView {
  name: string;
  server: string;
  capabilities: string[] | null;
  context: number | null;
}

export interface Models {
  backend: string;
  items: ModelView[];
}

export interface MovedFrom {
  id: number;
  name: string;
  files: number;
  here: number;
}

export interface NewApiKey {
  name: string;
  scope: 'admin' | 'read' | 'write';
  expires_at?: string | null;
}

export interface NewEntity {
  name: string;
  type: 'event' | 'organisation' | 'person' | 'place' | 'thing';
  description?: string;
  aliases?: string[];
}

export interface NewFact {
  text: string;
  object_id?: number | null;
  since?: string | null;
  until?: string | null;
}

export interface NewLibrary {
  root: string;
  name?: string | null;
}

export interface NewPassword {
  password: string;
  current?: string | null;
}

export interface NewPerson {
  name: string;
  notes?: string;
  birth_date?: string | null;
  hidden?: boolean;
  entity_id?: number | null;
  cover_face_id?: number | null;
}

export interface NewTag {
  path: string;
  name: string;
  library?: number | string | null;
}

export interface NewUser {
  password: string;
  username?: string | null;
  name?: string | null;
  role?: 'admin' | 'editor' | 'viewer';
  libraries?: number[] | null;
}

export interface NotThisPerson {
  person_id: number;
}

export interface OpenLink {
  purpose: string;
  role: string | null;
}

export interface OperationInTheWay {
  id: number;
  kind: string;
  text: string;
  actor: string;
}

export interface OperationRow {
  id: number;
  kind: string;
  text: string;
  actor: string;
  at: string;
  position: number;
  undone_by: number | null;
  undoes: number | null;
  undoable: boolean;
}

export interface OperationWithEvents {
  id: number;
  kind: string;
  text: string;
  actor: string;
  at: string;
  position: number;
  undone_by: number | null;
  undoes: number | null;
  undoable: boolean;
  events?: EventRow[];
  truncated?: boolean;
}

export interface Outcome {
  id: number;
  ok: boolean;
  error?: string | null;
}

export interface PartHealth {
  status: 'degraded' | 'off' | 'ok';
  detail?: string | null;
}

export interface PersonFace {
  id: number;
  content_hash: string;
  box: Box;
  confidence: number | null;
  quality: FaceQuality | null;
  source: string;
  status: string;
  model_version: string;
  person_id: number | null;
  person_name: string | null;
  ignored: boolean;
  embedded: boolean;
  library_id: number;
  path: string;
  version: number;
  similarity?: number | null;
}

export interface PersonPatch {
  name?: string;
  notes?: string;
  entity_id?: number | null;
  cover_face_id?: number | null;
  birth_date?: string | null;
  hidden?: boolean;
}

export interface PersonView {
  id: number;
  name: string;
  notes: string;
  entity_id: number | null;
  cover_face_id: number | null;
  birth_date: string | null;
  hidden: boolean;
  face_count: number;
  merged_into: number | null;
  version: number;
}

export interface PhotoWords {
  library?: string | null;
  path?: string | null;
  recursive?: boolean;
  kind?: 'photo' | 'video' | null;
  tags?: string[];
  tag_mode?: 'all' | 'any';
  exclude_tags?: string[];
  persons?: number[];
  person_mode?: 'all' | 'any';
  from?: string | null;
  to?: string | null;
  camera?: string | null;
  lens?: string | null;
  has_gps?: boolean | null;
  within?: string | null;
  q?: string | null;
}

export interface Photos {
  items: MediaRow[];
  next_cursor: string | null;
  total: number | null;
}

export interface PlaceShown {
  text: string;
  personal: string | null;
  name: string | null;
  region: string | null;
  country: string | null;
  country_code: string | null;
  distance_m: number | null;
  attribution: string | null;
}

export interface Playlist {
  playlist: string;
}

export interface PolicyRow {
  name: string;
  position: number;
  lag: number;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: FieldError[];
  operation_id?: number | null;
  operations?: OperationInTheWay[];
  id?: number | null;
}

export interface Projections {
  head: number;
  generations: GenerationRow[];
  policies: PolicyRow[];
}

export interface RateWish {
  rating: 'bad' | 'good' | null;
  id?: number | null;
  path?: string | null;
  library?: number | string | null;
}

export interface Ready {
  ready: boolean;
}

export interface RebuildWish {
  drop_old?: boolean;
}

export interface Registration {
  code: string;
  password: string;
  username?: string | null;
  name?: string | null;
}

export interface Rehearsal {
  text: string;
  changes: Change[];
}

export interface RewindWish {
  path: string;
  index: number;
  library?: number | string | null;
  insight_id?: number | null;
}

export interface ScanRequested {
  library_id: number;
  operation_id: number | null;
}

export interface SearchState {
  usable: boolean;
  reason: string | null;
  embedding: EmbeddingProgress | null;
}

export interface Session {
  token: string;
  expires_at: string;
}

export interface SimilarFace {
  face: FaceView;
  similarity: number;
  preselected: boolean;
}

export interface SplitSuggestion {
  kind: 'split';
  person: PersonView;
  size: number;
  face_ids: number[];
  faces: FaceView[];
  similarity: number;
  threshold: number;
  nearest: Suggestion | null;
}

export interface Suggestion {
  person_id: number;
  name: string;
  similarity: number;
  preselected: boolean;
  cover_face_id: number | null;
}

export interface SuggestionRefused {
  persons?: number[] | null;
  person_id?: number | null;
  face_ids?: number[] | null;
}

export interface SummariesRequested {
  from: string;
  to: string;
  contacts: string[];
  again: boolean;
  operation_id: number | null;
}

export interface SummaryView {
  id: number;
  day: string;
  contact: string;
  text: string;
  messages: number;
  source_hash: string;
  model: string;
  prompt_version: number;
  written_at: string;
  superseded_by: number | null;
  masked: boolean;
  embedding_model: string | null;
}

export interface Tag {
  id: number;
  name: string;
  version: number;
  color?: string | null;
}

export interface TagCount {
  id: number;
  name: string;
  color: string | null;
  version: number;
  count: number;
}

export interface TagPatch {
  name?: string;
  color?: string | null;
}

export interface TagsBatch {
  name: string;
  ids?: number[] | null;
  filter?: PhotoWords | null;
  action?: 'add' | 'remove';
}

export interface TagsBatchOutcome {
  results: Outcome[];
  fitted: number;
  operation_id: number | null;
}

export interface TagsThatArePeople {
  tags: (number | string)[];
}

export interface ToolView {
  name: string;
  arguments: unknown;
  result: unknown;
}

export interface TurnResult {
  insight: InsightView;
  message: MessageView;
  version: number;
  operation_id: number | null;
}

export interface UnmatchedFace {
  id: number;
  box: Box;
  content_hash: string;
  library_id: number;
  path: string;
  person_id: number | null;
  person_name: string | null;
}

export interface UserPatch {
  role?: 'admin' | 'editor' | 'viewer';
  libraries?: number[] | null;
  password?: string;
}

export interface UserRow {
  id: number;
  username: string;
  name: string;
  role: string;
  libraries: number[] | null;
  has_password: boolean;
  version: number;
}

export interface VideoWanted {
  path: string;
  library?: number | string | null;
}

export interface Welcome {
  code: string;
  username?: string | null;
  name?: string | null;
  password?: string | null;
}

export interface YearOfMemories {
  year: number;
  years_ago: number;
  first: string;
  last: string;
  total: number;
  items: MediaRow[];
}

export interface Routes {
  GET: {
    'faces/stats': {
      query: 'library';
      answer: FaceStats;
    };
    'faces': {
      query: 'library' | 'unassigned' | 'limit' | 'cursor';
      answer: Page<FaceView>;
    };
    'faces/embeddings': {
      query: 'library' | 'unassigned' | 'limit' | 'offset' | 'cursor';
      answer: Page<EmbeddingRow>;
    };
    'faces/unmatched': {
      query: 'library' | 'limit' | 'cursor';
      answer: Page<UnmatchedFace>;
    };
    'image/faces': {
      query: 'path' | 'library' | 'limit' | 'offset' | 'as_of';
      answer: Page<FaceView>;
    };
    [path: `image/faces/${number}/suggestions`]: {
      query: 'limit';
      answer: Page<Suggestion>;
    };
    [path: `image/faces/${number}/similar`]: {
      query: 'limit';
      answer: Page<SimilarFace>;
    };
    [path: `image/faces/${number}/crop`]: {
      query: 'size';
      answer: null;
    };
    'faces/clusters': {
      query: 'library' | 'min_size' | 'limit' | 'cursor';
      answer: Page<ClusterView>;
    };
    'persons/suggestions': {
      query: 'kind' | 'library' | 'limit' | 'cursor';
      answer: Page<MergeSuggestion | SplitSuggestion>;
    };
    'persons': {
      query: 'library' | 'with_faces' | 'include_hidden' | 'q' | 'sort' | 'as_of' | 'limit' | 'cursor';
      answer: Page<PersonView>;
    };
    [path: `persons/${number}`]: {
      query: 'as_of';
      answer: PersonView;
    };
    [path: `persons/${number}/faces`]: {
      query: 'library' | 'sort' | 'order' | 'limit' | 'offset' | 'cursor';
      answer: Page<PersonFace>;
    };
    'photos': {
      query: 'library' | 'path' | 'recursive' | 'kind' | 'tags' | 'tag_mode' | 'exclude_tags' | 'persons' |
        'person_mode' | 'from' | 'to' | 'camera' | 'lens' | 'has_gps' | 'within' | 'q' | 'stacked' | 'sort' | 'limit'
        | 'cursor';
      answer: Photos;
    };
    'folders': {
      query: 'library';
      answer: Folders;
    };
    'photos/search': {
      query: 'library' | 'path' | 'recursive' | 'kind' | 'tags' | 'tag_mode' | 'exclude_tags' | 'persons' |
        'person_mode' | 'from' | 'to' | 'camera' | 'lens' | 'has_gps' | 'within' | 'q' | 'stacked' | 'limit' |
        'cursor';
      answer: FoundPhotos;
    };
    'photos/search/state': {
      query: never;
      answer: SearchState;
    };
    'memories': {
      query: 'date' | 'span' | 'library' | 'timezone' | 'limit';
      answer: MemoriesPage;
    };
    'image': {
      query: 'path' | 'library' | 'size';
      answer: null;
    };
    'image/metadata': {
      query: 'path' | 'library';
      answer: Metadata;
    };
    'video/stream': {
      query: 'path' | 'library';
      answer: null;
    };
    [path: `video/hls/${string}/${string}`]: {
      query: never;
      answer: null;
    };
    'video/preview': {
      query: 'path' | 'library';
      answer: ClipStatus;
    };
    'video/gif': {
      query: 'path' | 'library';
      answer: ClipStatus;
    };
    'image/tags': {
      query: 'path' | 'library' | 'as_of';
      answer: Page<Tag>;
    };
    'image/tags/all': {
      query: never;
      answer: Page<TagCount>;
    };
    'insights': {
      query: 'path' | 'library';
      answer: Page<InsightView>;
    };
    'insights/all': {
      query: 'limit' | 'cursor';
      answer: Page<InsightView>;
    };
    'insights/models': {
      query: 'backend';
      answer: Models;
    };
    'insights/openrouter/models': {
      query: never;
      answer: Models;
    };
    'insights/chat/stream': {
      query: 'turn';
      answer: null;
    };
    'insights/chat/history': {
      query: 'path' | 'library' | 'insight_id';
      answer: Conversation;
    };
    'entities': {
      query: 'q' | 'type' | 'limit' | 'cursor';
      answer: Page<EntityRow>;
    };
    [path: `entities/${number}`]: {
      query: never;
      answer: EntityRow;
    };
    [path: `entities/${number}/facts`]: {
      query: 'limit' | 'cursor';
      answer: Page<FactRow>;
    };
    'image/facts': {
      query: 'path' | 'library' | 'limit' | 'cursor';
      answer: Page<FactRow>;
    };
    [path: `entities/${number}/history`]: {
      query: 'limit' | 'cursor';
      answer: Page<OperationRow>;
    };
    'summaries': {
      query: 'from' | 'to' | 'contact' | 'superseded' | 'limit' | 'cursor';
      answer: Page<SummaryView>;
    };
    'summaries/search': {
      query: 'from' | 'to' | 'contact' | 'q' | 'limit';
      answer: Hits;
    };
    [path: `summaries/${number}`]: {
      query: never;
      answer: SummaryView;
    };
    'libraries': {
      query: never;
      answer: Page<LibraryView>;
    };
    [path: `libraries/${number}/problems`]: {
      query: 'limit';
      answer: Page<FileProblem>;
    };
    'operations': {
      query: 'actor' | 'kind' | 'person' | 'path' | 'library' | 'before' | 'limit' | 'cursor';
      answer: Page<OperationRow>;
    };
    [path: `operations/${number}`]: {
      query: never;
      answer: OperationWithEvents;
    };
    [path: `persons/${number}/history`]: {
      query: 'limit' | 'cursor';
      answer: Page<OperationRow>;
    };
    'image/history': {
      query: 'path' | 'library' | 'limit' | 'cursor';
      answer: Page<OperationRow>;
    };
    [path: `image/faces/${number}/history`]: {
      query: never;
      answer: FaceHistory;
    };
    'events': {
      query: 'after' | 'limit' | 'types';
      answer: EventPage;
    };
    'welcome': {
      query: 'code';
      answer: OpenLink;
    };
    'me': {
      query: never;
      answer: Me;
    };
    'users': {
      query: never;
      answer: Page<UserRow>;
    };
    'api-keys': {
      query: never;
      answer: Page<ApiKeyRow>;
    };
    'health': {
      query: never;
      answer: Health;
    };
    'ready': {
      query: never;
      answer: Ready;
    };
    'jobs': {
      query: never;
      answer: Page<JobRow>;
    };
    'metrics': {
      query: never;
      answer: null;
    };
    'admin/projections': {
      query: never;
      answer: Projections;
    };
  };
  POST: {
    'image/faces': {
      query: never;
      rehearses: true;
      body: DrawnFace;
      answer: FaceView;
    };
    'image/faces/batch': {
      query: never;
      rehearses: true;
      body: FacesBatch;
      answer: BatchOutcome;
    };
    'image/faces/rerun': {
      query: 'path' | 'library';
      rehearses: true;
      answer: Page<FaceView>;
    };
    [path: `image/faces/${number}/reject`]: {
      query: never;
      rehearses: true;
      body: NotThisPerson;
      answer: FaceView;
    };
    'faces/clusters/accept': {
      query: never;
      rehearses: true;
      body: ClusterAccepted;
      answer: BatchOutcome;
    };
    'persons/bootstrap': {
      query: never;
      rehearses: true;
      body: TagsThatArePeople;
      answer: BootstrapOutcome;
    };
    'persons/suggestions/refuse': {
      query: never;
      rehearses: true;
      body: SuggestionRefused;
      answer: BatchOutcome;
    };
    'persons': {
      query: never;
      rehearses: true;
      body: NewPerson;
      answer: PersonView;
    };
    [path: `persons/${number}/merge`]: {
      query: never;
      rehearses: true;
      body: MergeInto;
      answer: PersonView;
    };
    'video/generate': {
      query: never;
      body: VideoWanted;
      answer: Playlist;
    };
    'video/preview/status': {
      query: never;
      body: ClipsWanted;
      answer: ClipRows;
    };
    'image/tags': {
      query: never;
      rehearses: true;
      body: NewTag;
      answer: Tag;
    };
    'image/tags/batch': {
      query: never;
      rehearses: true;
      body: TagsBatch;
      answer: TagsBatchOutcome;
    };
    [path: `tags/${number}/merge`]: {
      query: never;
      rehearses: true;
      body: MergeTag;
      answer: Tag;
    };
    'insights/generate': {
      query: never;
      body: GenerateWish;
      answer: InsightView;
    };
    'insights/rate': {
      query: never;
      body: RateWish;
      answer: InsightView;
    };
    'insights/chat': {
      query: never;
      body: ChatWish;
      answer: TurnResult;
    };
    'insights/chat/stream': {
      query: never;
      body: ChatWish;
      answer: null;
    };
    'insights/chat/rewind': {
      query: never;
      body: RewindWish;
      answer: Conversation;
    };
    'entities': {
      query: never;
      rehearses: true;
      body: NewEntity;
      answer: EntityRow;
    };
    [path: `entities/${number}/merge`]: {
      query: never;
      rehearses: true;
      body: MergeEntity;
      answer: EntityRow;
    };
    [path: `entities/${number}/facts`]: {
      query: never;
      rehearses: true;
      body: NewFact;
      answer: FactRow;
    };
    'summaries/generate': {
      query: never;
      body: GenerateSummaries;
      answer: SummariesRequested;
    };
    'libraries': {
      query: never;
      body: NewLibrary;
      answer: LibraryView;
    };
    [path: `libraries/${number}/scan`]: {
      query: 'accept_missing';
      answer: ScanRequested;
    };
    [path: `operations/${number}/undo`]: {
      query: 'with_later';
      rehearses: true;
      answer: OperationRow;
    };
    'login': {
      query: never;
      body: Credentials;
      answer: Session;
    };
    'logout': {
      query: never;
      answer: null;
    };
    'welcome': {
      query: never;
      body: Welcome;
      answer: Session;
    };
    'register': {
      query: never;
      body: Registration;
      answer: Session;
    };
    'invitations': {
      query: never;
      body: Invitation;
      answer: Invited;
    };
    'me/password': {
      query: never;
      body: NewPassword;
      answer: Session;
    };
    'users': {
      query: never;
      body: NewUser;
      answer: UserRow;
    };
    'api-keys': {
      query: never;
      body: NewApiKey;
      answer: IssuedApiKey;
    };
    'admin/rebuild': {
      query: never;
      body: RebuildWish;
      answer: JobRow;
    };
  };
  PATCH: {
    [path: `image/faces/${number}`]: {
      query: never;
      rehearses: true;
      body: FacePatch;
      answer: FaceView;
    };
    [path: `persons/${number}`]: {
      query: never;
      rehearses: true;
      body: PersonPatch;
      answer: PersonView;
    };
    [path: `tags/${number}`]: {
      query: never;
      rehearses: true;
      body: TagPatch;
      answer: Tag;
    };
    [path: `entities/${number}`]: {
      query: never;
      rehearses: true;
      body: EntityPatch;
      answer: EntityRow;
    };
    [path: `entities/${number}/facts/${number}`]: {
      query: never;
      rehearses: true;
      body: FactPatch;
      answer: FactRow;
    };
    [path: `libraries/${number}`]: {
      query: never;
      body: LibraryPatch;
      answer: LibraryView;
    };
    [path: `users/${number}`]: {
      query: never;
      body: UserPatch;
      answer: UserRow;
    };
  };
  DELETE: {
    [path: `faces/unmatched/${number}`]: {
      query: never;
      rehearses: true;
      answer: Done;
    };
    [path: `image/faces/${number}`]: {
      query: never;
      rehearses: true;
      answer: Done;
    };
    [path: `persons/${number}`]: {
      query: 'cascade';
      rehearses: true;
      answer: Done;
    };
    'image/tags': {
      query: 'path' | 'name' | 'library';
      rehearses: true;
      answer: Done;
    };
    [path: `tags/${number}`]: {
      query: never;
      rehearses: true;
      answer: Done;
    };
    'insights/chat/stream': {
      query: 'turn';
      answer: null;
    };
    [path: `entities/${number}`]: {
      query: never;
      rehearses: true;
      answer: Done;
    };
    [path: `entities/${number}/facts/${number}`]: {
      query: never;
      rehearses: true;
      answer: Done;
    };
    [path: `summaries/${number}`]: {
      query: never;
      answer: Done;
    };
    [path: `libraries/${number}`]: {
      query: never;
      answer: Done;
    };
    [path: `users/${number}`]: {
      query: never;
      answer: Done;
    };
    [path: `api-keys/${number}`]: {
      query: never;
      answer: Done;
    };
  };
}
