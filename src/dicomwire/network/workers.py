"""A server whose associations several processes serve, seen from the one that starts it."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import weakref
from typing import Any

from dicomwire.network.events import EventType, Handler
from dicomwire.network.keeper import ABORT, ABORTING, READY, RENEW, STOP, Keeper
from dicomwire.network.processes import fork
from dicomwire.network.refusals import Refusals
from dicomwire.network.server import ThreadedAssociationServer

logger = logging.getLogger("dicomwire.server")

GRACE = 30.0  # seconds that associations have to end by themselves after `shutdown`

_ends: weakref.WeakSet[socket.socket] = weakref.WeakSet()  # those of `_control`, of all servers


class WorkerServer(ThreadedAssociationServer):
    """A server whose associations are served by several processes (`AE.start_server(workers=)`).

    Threads of one process share one interpreter lock; processes do not. One process, forked when
    the server starts, accepts and hands each connection to the worker that has the fewest; it
    replaces a worker that dies. The handlers are those of the start, and run in the workers: what
    they change in memory, only their own process sees. The process that started the server has no
    association of it.

    Parameters
    ----------
    *arguments
        Of `AssociationServer`.
    workers : int
        How many processes.
    **more
        Of `AssociationServer`.

    Attributes
    ----------
    grace : float
        Seconds that associations have to end by themselves after `shutdown`; what is left then is
        aborted. Set it before the server starts.

    Raises
    ------
    NotImplementedError
        When the system cannot fork, as Windows.
    """

    def __init__(self, *arguments: Any, workers: int = 2, **more: Any) -> None:
        if not hasattr(os, "fork"):
            raise NotImplementedError("workers need a system that forks processes: use 1")
        self.workers = workers
        self.grace = GRACE
        self._control: socket.socket | None = None
        self._keeper = 0
        self._ready, self._closed, self._gone = (threading.Event() for _ in range(3))
        self._asked_to_end = False
        super().__init__(*arguments, **more)

    def start(self) -> None:
        """Begin to accept, in processes of their own."""
        self.say_if_open()
        ours, theirs = socket.socketpair()
        self._keeper = fork(lambda: self._keep(theirs, ours))
        theirs.close()
        self._control = ours
        _ends.add(ours)
        self.socket.close()  # it is theirs
        watch = threading.Thread(target=self._watch, name="dicomwire workers", daemon=True)
        watch.start()
        self._ready.wait()  # all workers have been forked

    def _keep(self, control: socket.socket, not_ours: socket.socket) -> None:
        not_ours.close()
        self._let_go()
        Keeper(self, control, self.workers, self.grace).run()

    def _let_go(self) -> None:
        """Close, in a forked process, what belongs to the one it was forked from."""
        for end in list(_ends):
            end.close()
        self.ae.begin_again(self)
        self.refusals = Refusals()
        self._associations = {}
        self._lock = threading.Lock()

    def _watch(self) -> None:
        """Learn what becomes of the processes."""
        assert self._control is not None
        with contextlib.suppress(OSError):
            while said := self._control.recv(1):
                (self._ready if said == READY else self._closed).set()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._keeper, 0)
        if not self._asked_to_end:
            logger.error("Nobody serves port %d any more", self.server_address[1])
        self._ready.set()
        self._closed.set()
        self._control.close()
        super().server_close()
        self._gone.set()

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until `shutdown` is called from another thread, or a Ctrl-C.

        Parameters
        ----------
        poll_interval : float
            Not used: nothing is polled.
        """
        if self._control is None:
            self.start()
        self._gone.wait()

    def renew_tls(self) -> bool:
        """See `AssociationServer.renew_tls`; all processes read the files."""
        is_renewed = super().renew_tls()
        if is_renewed and self._control is not None:
            with contextlib.suppress(OSError):  # nobody serves any more
                self._control.send(RENEW)
        return is_renewed

    def _tell(self, what: bytes) -> None:
        self._asked_to_end = True
        if self._control is None:
            self._gone.set()
            self._closed.set()
            return
        with contextlib.suppress(OSError):
            self._control.send(what)

    def shutdown(self) -> None:
        """Stop accepting; associations go on, for `grace` seconds at most."""
        self._tell(STOP)
        self._closed.wait()

    def server_close(self) -> None:
        """Stop accepting, and wait until all associations are over."""
        self.shutdown()
        self.join()
        super().server_close()

    def abort(self) -> None:
        """Abort what associations are left, and wait until the processes are gone."""
        self._tell(ABORT)
        self._gone.wait(2 * ABORTING)

    def join(self, timeout: float | None = None) -> None:
        """See `AssociationServer.join`."""
        self._gone.wait(timeout)

    def bind(self, event: EventType, handler: Handler, args: list[Any] | None = None) -> None:
        """Bind a handler before the server starts; see `AssociationServer.bind`."""
        self._check_not_started()
        super().bind(event, handler, args)

    def unbind(self, event: EventType, handler: Handler) -> None:
        """Undo `bind`, before the server starts."""
        self._check_not_started()
        super().unbind(event, handler)

    def _check_not_started(self) -> None:
        if self._control is not None:
            raise RuntimeError("The handlers of workers are those that they started with")
