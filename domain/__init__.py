"""What is true, and who may change it, without I/O or a clock. Rooms look down: undo commands rules ports events base.

The words, as every room uses them:

- **library**: a named root folder, whose files stay where they are and are never changed.
- **media**: one file at one place in one library, a photo or a video, there or missing.
- **content**: the bytes of a file, named by their SHA-256, the *content hash*; copies share it, and what is decided
  about a photo is decided about its content.
- **stack**: the files that one press of the shutter left beside each other; one of them stands for the others.
- **burst**: photos of one camera in quick succession, shown as one.
- **face** (detection): a box on a content that an engine found or a person drew; its embedding is its vector.
- **marker**: the word, on a content, that a model looked at it and found no face, or can never use it.
- **exemplar**: a face of a person with which a new one is compared.
- **person**: a visual identity with a name, to which faces are assigned; *canonical*: what merges lead to in the end.
- **stranger**: whose face was put aside; it is left out of suggestions and clusters.
- **cluster**: unassigned faces that are likely one person's.
- **carry over**: to repeat, on a photo that was saved anew, what was decided about its faces; those found there are
  the **heirs** of the old ones.
- **tag**: a label on a content.
- **insight**: a title and text that a language model wrote about a photo; its **transcript** is the conversation
  about it, made of *turns*.
- **summary**: what a language model says of one conversation on one day.
- **entity**: something that texts speak of; a person may be *bridged* to one.
- **fact**: one sentence about an entity, with its origin: the insight that it was read from, or a user.
- **event**: a past-tense fact in the log, stored under a name that never changes.
- **operation**: what one user or part of the server did, with the events that it appended: the unit of undo.
- **undo**: events of an operation of its own that take another one back; undoing that is redo.
- **erasure**: the one change to the past: it takes a person or faces out of the log. A **tombstone** is what it leaves
  of a face, so that no engine finds it again; **masking** puts a mask in the place of a name.
- **actor**: a user, or a part of the server, that sees libraries and acts in a role; *restricted*: to some libraries.
- **in sight**: of an actor, what a present file of a library that they see shows; **known**: what they may hear of.
- **unit of work**: the transaction of one command: it decides from the tables as they stand, and appends or does
  nothing.
- **snapshot**: the read tables as they stand for one actor.
- **generation**: one numbered set of read tables; a rebuild replays the log into the next one.
- **rehearsal** (dry run): a command whose events are rolled back once it is known what they would change.
"""
