"""How the folder of a library is watched, and what was noticed of it."""

from __future__ import annotations

from typing import Literal

import msgspec

WatchMode = Literal["native", "polling", "off"]


class Watching(msgspec.Struct, frozen=True):
    """How a library is watched: `native` is told of each change by the operating system, `polling` looks again and
    again, `off` looks when asked. `reason` says in plain words why it is not native; `limited` that it could be, were
    a limit of the system not reached."""

    mode: WatchMode
    reason: str | None = None
    limited: bool = False


class Noticed(msgspec.Struct, frozen=True):
    """What changed in a library since the last time that it was asked, in path texts below its root.

    `folders` are those of which a file of their own changed, `trees` came or went with all that is below them,
    `written` files were written to their end or put in their place, also where neither size nor time tells;
    `unfinished` ones were made, and their makers have them open still: their end will be noticed.
    `everything` says that the rest is not known to be unchanged.
    """

    folders: frozenset[str] = frozenset()
    trees: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    everything: bool = False
    unfinished: frozenset[str] = frozenset()

    def concerns(self, folder: str) -> bool:
        """Whether files of a folder may have changed."""
        return self.everything or folder in self.folders or self._is_below(folder)

    def _is_below(self, folder: str) -> bool:
        if "" in self.trees:
            return True
        at = folder
        while at:
            if at in self.trees:
                return True
            at = at.rpartition("/")[0]
        return False

    def places(self) -> tuple[list[str], list[str]]:
        """The folders to look at alone and the trees to look at whole, none of them twice."""
        trees = [tree for tree in self.trees if not tree or not self._is_covered(tree)]
        return sorted(folder for folder in self.folders if not self._is_below(folder)), sorted(trees)

    def _is_covered(self, tree: str) -> bool:
        return "" in self.trees or any(tree[:end] in self.trees for end in range(1, len(tree)) if tree[end] == "/")
