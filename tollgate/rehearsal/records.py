"""What the stand-in providers could not know, noted while they answer."""

from __future__ import annotations

import threading


class Records:
    """Filled by several threads at once; read when the engine is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unlisted: set[str] = set()
        self._undecided: set[tuple[str, str]] = set()
        self._unreadable: set[str] = set()

    def unlisted(self, token: str) -> None:
        with self._lock:
            self._unlisted.add(token)

    def undecided(self, urn: str, paths: tuple[str, ...]) -> None:
        with self._lock:
            self._undecided.update((urn, path) for path in paths)

    def unreadable(self, urn: str) -> None:
        with self._lock:
            self._unreadable.add(urn)

    def unlisted_types(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._unlisted)

    def undecided_paths(self) -> frozenset[tuple[str, str]]:
        with self._lock:
            return frozenset(self._undecided)

    def unreadable_secrets(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._unreadable)
