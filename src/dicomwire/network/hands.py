"""Work that can wait into calls in threads of their own, a few for each association."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from dicomwire.services.wants import PutOff

MOST = 4  # threads: flushes that wait together cost a disk little more than one
LINGER = 0.5  # seconds that a thread waits for more


class Task(PutOff):
    """A call that has been begun; `close` waits for its end."""

    __slots__ = ("_is_done", "work")

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self._is_done = threading.Event()

    def run(self) -> None:
        """Do it."""
        try:
            self.work()
        finally:
            self._is_done.set()

    def close(self) -> None:
        """Wait until it is done."""
        self._is_done.wait()


class Hands:
    """Threads that come when there is something to do, and go when there is not.

    Those of one association never do the work of another: whoever does not take its responses keeps
    nobody else waiting.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._tasks: deque[Task] = deque()
        self._count = self._idle = 0

    def begin(self, work: Callable[[], None]) -> Task:
        """Let a thread do something; return what tells when it is done."""
        task = Task(work)
        with self._changed:
            self._tasks.append(task)
            if self._idle >= len(self._tasks):
                self._changed.notify()
                return task
            if self._count == MOST:
                return task
            self._count += 1
        threading.Thread(target=self._work, name="dicomwire hand", daemon=True).start()
        return task

    def _work(self) -> None:
        try:
            while (task := self._next()) is not None:
                task.run()
        except BaseException:
            with self._changed:
                self._count -= 1
            raise

    def _next(self) -> Task | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: bool(self._tasks), LINGER)
            self._idle -= 1
            if self._tasks:
                return self._tasks.popleft()
            self._count -= 1
            return None
