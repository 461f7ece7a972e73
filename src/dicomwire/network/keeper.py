"""A listening socket into connections that several processes serve, replaced when they die."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dicomwire.network import attempts, tls
from dicomwire.network.ledger import Ledger, SharedPlaces
from dicomwire.network.processes import fork, leave_it
from dicomwire.network.refusals import Refusals
from dicomwire.network.server import AssociationServer
from dicomwire.network.watcher import the_watcher

logger = logging.getLogger("dicomwire.server")

ABORTING = 5.0  # seconds that a worker has to abort what is left
SETTLED = 1.0  # seconds after which a worker that dies is replaced at once

# What is said over the sockets between the processes, a byte each.
READY, CONNECTION, STOP, STOPPED, ABORT, RENEW = b"r", b"c", b"s", b"d", b"a", b"t"

_CLOEXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))


@dataclass
class _Worker:
    """What is known of a worker.

    Attributes
    ----------
    due : float
        When it is to be started, while there is none.
    is_stale : bool
        Whether it has to read the files for TLS anew before its next connection.
    """

    number: int
    pid: int = 0
    channel: socket.socket | None = None
    handed: int = 0
    began: float = 0.0
    due: float = 0.0
    is_stale: bool = False


class Keeper:
    """Accepts, hands connections out, and replaces workers: a process of one thread.

    Because it has one thread, it may fork at any time.

    Parameters
    ----------
    server : AssociationServer
        Which listens, and serves in the workers.
    control : socket
        Where the parent says what to do; its end is the parent's.
    workers : int
        How many.
    grace : float
        Seconds that associations have to end by themselves.
    """

    def __init__(
        self, server: AssociationServer, control: socket.socket, workers: int, grace: float
    ) -> None:
        self._server, self._control, self._grace = server, control, grace
        self._ledger = Ledger(workers, attempts.SIZE)
        self._workers = [_Worker(number) for number in range(workers)]
        self._selector = selectors.DefaultSelector()
        self._listens = False
        self._stops_at: float | None = None
        self._kills_at: float | None = None
        self._deaths = socket.socketpair()
        self._held: socket.socket | None = None  # a connection that no worker takes just now
        self._sums_due: float | None = None  # of the refusals

    def run(self) -> None:
        """Work until the parent says so, or is gone, and all workers are gone too."""
        server = self._server
        server.socket.setblocking(False)
        server.refusals = Refusals(self._sum_up_later)
        self._selector.register(self._control, selectors.EVENT_READ, self._told)
        self._selector.register(self._deaths[0], selectors.EVENT_READ, self._reap)
        for end in self._deaths:
            end.setblocking(False)
        signal.set_wakeup_fd(self._deaths[1].fileno())
        signal.signal(signal.SIGCHLD, leave_it)
        for worker in self._workers:
            self._start(worker)
        with contextlib.suppress(OSError):
            self._control.send(READY)
        while self._stops_at is None or any(worker.channel for worker in self._workers):
            ready = [key for key, _ in self._selector.select(self._pause())]
            ready.sort(key=lambda key: key.fileobj is not self._control)
            for key in ready:  # what the parent said counts for those who came after it
                if key.fileobj is not server.socket:
                    key.data()
                elif self._listens:
                    accepted = server.accept_one(self._selector)
                    if accepted is not None:
                        self._hand_out(accepted[0])
            self._do_what_is_due(time.monotonic())
        server.refusals.close()

    # -- time --------------------------------------------------------------------------------

    def _pause(self) -> float | None:
        times = [self._kills_at or self._stops_at] if self._stops_at is not None else []
        times += [each.due for each in self._workers if not each.channel] if not times else []
        found = [each for each in (*times, self._sums_due) if each is not None]
        return max(min(found) - time.monotonic(), 0.0) if found else None

    def _sum_up_later(self, seconds: float, _: Callable[[], None]) -> None:
        self._sums_due = time.monotonic() + seconds

    def _do_what_is_due(self, now: float) -> None:
        if self._sums_due is not None and self._sums_due <= now:
            self._sums_due = None
            self._server.refusals.sum_up()
        if self._stops_at is None:
            for worker in self._workers:
                if worker.channel is None and worker.due <= now:
                    self._start(worker)
        elif self._kills_at is not None and self._kills_at <= now:
            self._kills_at = now + ABORTING
            for worker in self._workers:
                if worker.channel is not None:
                    logger.error("Worker %d does not end: it is killed", worker.number + 1)
                    os.kill(worker.pid, signal.SIGKILL)
        elif self._kills_at is None and self._stops_at <= now:
            self._abort()

    # -- what the parent says --------------------------------------------------------------------

    def _told(self) -> None:
        try:
            said = self._control.recv(1)
        except OSError:
            said = b""
        if said == RENEW:
            self._renew()
            return
        if self._stops_at is None:
            self._stop()
        if said != STOP:
            self._abort()
        if not said:
            self._selector.unregister(self._control)

    def _stop(self) -> None:
        self._stops_at = time.monotonic() + self._grace
        self._listen(False)
        self._let_go()
        with contextlib.suppress(OSError):  # a worker just forked may still have it too
            self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.socket.close()
        with contextlib.suppress(OSError):
            self._control.send(STOPPED)
        self._tell_all(STOP)

    def _renew(self) -> None:
        """Read the files for TLS, for workers to come; those that there are read them too."""
        if tls.renew(self._server):
            for worker in self._workers:
                worker.is_stale = True

    def _abort(self) -> None:
        if self._kills_at is None:
            self._kills_at = time.monotonic() + ABORTING
            self._tell_all(ABORT)

    def _tell_all(self, what: bytes) -> None:
        for worker in self._workers:
            if worker.channel is not None:
                with contextlib.suppress(OSError):
                    worker.channel.send(what)

    # -- workers -----------------------------------------------------------------------------

    def _start(self, worker: _Worker) -> None:
        ours, theirs = socket.socketpair()
        try:
            pid = fork(lambda: self._become(worker.number, theirs, ours))
        except OSError as error:
            logger.error("Worker %d cannot be started: %s", worker.number + 1, error.strerror)
            worker.due = time.monotonic() + SETTLED
            ours.close()
            theirs.close()
            return
        theirs.close()
        ours.setblocking(False)
        worker.pid, worker.channel, worker.handed = pid, ours, 0
        worker.is_stale = False
        worker.began = time.monotonic()
        if self._held is not None:
            self._selector.register(ours, selectors.EVENT_WRITE, self._go_on)
        self._listen(True)

    def _become(self, number: int, channel: socket.socket, not_ours: socket.socket) -> None:
        """Be a worker, in the process just forked."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        others = [each.channel for each in self._workers if each.channel is not None]
        for each in (not_ours, self._control, self._server.socket, *self._deaths, *others):
            each.close()
        if self._held is not None:  # who serves it would close it, and the peer not see it
            self._held.close()
        _Work(self._server, channel, self._ledger, number).run()

    def _reap(self) -> None:
        """Take note of the workers that have ended."""
        with contextlib.suppress(BlockingIOError):
            self._deaths[0].recv(4096)
        for worker in self._workers:
            if worker.channel is not None:
                pid, status = os.waitpid(worker.pid, os.WNOHANG)
                if pid:
                    if self._held is not None:
                        self._selector.unregister(worker.channel)
                    worker.channel.close()
                    worker.channel = None
                    self._lost(worker, status)

    def _lost(self, worker: _Worker, status: int) -> None:
        self._ledger.forget(worker.number)
        if self._stops_at is not None:
            return
        now = time.monotonic()
        worker.due = now if now - worker.began > SETTLED else now + SETTLED
        logger.error(
            "Worker %d (process %d) ended%s, its associations are lost; another one is started",
            worker.number + 1,
            worker.pid,
            f" by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "",
        )
        if not any(each.channel for each in self._workers):
            self._listen(False)

    def _listen(self, wanted: bool) -> None:
        wanted = wanted and self._held is None
        if wanted is not self._listens:
            self._listens = wanted
            if wanted:
                self._selector.register(self._server.socket, selectors.EVENT_READ)
            else:
                self._selector.unregister(self._server.socket)

    def _hand_out(self, sock: socket.socket) -> None:
        """Give a connection to the worker that has the fewest.

        When all have so many waiting that they take no more just now, nor are more accepted.
        """
        if self._is_taken(sock):
            sock.close()
            return
        self._listen(False)
        self._held = sock
        for worker in self._workers:
            if worker.channel is not None:
                self._selector.register(worker.channel, selectors.EVENT_WRITE, self._go_on)

    def _is_taken(self, sock: socket.socket) -> bool:
        for worker in sorted(self._workers, key=self._load):
            if worker.channel is None:
                continue
            with contextlib.suppress(OSError):  # it is busy, or gone
                if worker.is_stale:
                    worker.channel.send(RENEW)
                    worker.is_stale = False
                socket.send_fds(worker.channel, [CONNECTION], [sock.fileno()])
                worker.handed += 1
                return True
        return False

    def _go_on(self) -> None:
        """Hand out the connection that was held, and accept again."""
        if self._held is not None and self._is_taken(self._held):
            self._let_go()
            self._listen(True)

    def _let_go(self) -> None:
        if self._held is None:
            return
        self._held.close()
        self._held = None
        for worker in self._workers:
            if worker.channel is not None:
                self._selector.unregister(worker.channel)

    def _load(self, worker: _Worker) -> tuple[int, int]:
        return worker.handed - self._ledger.ended[worker.number], worker.handed


class _Work:
    """What a worker does: serves what it is handed."""

    def __init__(
        self, server: AssociationServer, channel: socket.socket, ledger: Ledger, number: int
    ) -> None:
        self._server, self._channel, self._ledger = server, channel, ledger
        self._places = SharedPlaces(ledger, number)

    def run(self) -> None:
        """Serve until there is nothing more to do."""
        server = self._server
        failures = attempts.Attempts(self._ledger.besides, self._ledger.locked_besides)
        server.ae.begin_again(server, self._places, failures)
        server.refusals = Refusals(the_watcher().call_later)
        for sock in self._handed():
            try:
                peer = sock.getpeername()
            except OSError:  # whoever it was is gone
                sock.close()
                self._places.ended()
            else:
                server.process_request(sock, peer)
        self._abort()
        server.refusals.close()

    def _handed(self) -> Iterator[socket.socket]:
        """Yield connections, until associations are to be aborted or there are none left."""
        while True:
            try:
                said, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1, _CLOEXEC)
            except OSError:
                return
            if said == CONNECTION and not descriptors:
                logger.error("A connection is refused: this process has no descriptor left")
                self._places.ended()
            for descriptor in descriptors:
                os.set_inheritable(descriptor, False)
                yield socket.socket(fileno=descriptor)
            if said == RENEW:
                tls.renew(self._server)
            elif said == STOP:
                threading.Thread(target=self._finish, daemon=True).start()
            elif said != CONNECTION:
                return

    def _finish(self) -> None:
        AssociationServer.join(self._server)  # not that of the parent's side
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)  # wakes who waits for more

    def _abort(self) -> None:
        running = self._server.active_associations
        end = time.monotonic() + ABORTING / 2
        for association in running:
            association.abort(block=False)
        for association in running:
            association.join(max(0.0, end - time.monotonic()))
