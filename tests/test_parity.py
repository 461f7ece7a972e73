"""The blocking and the asyncio API side by side: the same names, signatures, answers and errors."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dicomwire import AE, Association, aio, build_context, build_role, evt
from dicomwire.network.server import AssociationServer
from tests.network.ends import CT, CT_FILE, LOCAL, MR, VERIFICATION, WAIT, entity, image, keys

FIND, GET, MOVE = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 3, 2))
PRINTER, INSTANCE = "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.17"
COMMITMENT = "1.2.840.10008.1.20.1"
CONTEXTS = [VERIFICATION, CT, FIND, GET, MOVE, PRINTER, COMMITMENT]

# -- names and signatures ------------------------------------------------------------------------

OPERATIONS = """c_echo c_store c_stores c_find c_get c_move n_event_report n_get n_set n_action
    n_create n_delete send_c_cancel release abort""".split()
# pynetdicom's manners and threads have no counterpart; and a loop has a word of its own.
ONLY_THREADED = """daemon ident name native_id isDaemon setDaemon getName setName is_alive start
    run run_reactor request set_socket kill join dul dimse lock attend idle_until
    is_idle_too_long begin go_on next_response leave request poll drop""".split()
ONLY_ASYNCIO = "begin_asking next_response begin go_on leave join open_destination".split()


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_both_apis_have_the_same_names() -> None:
    threaded = {name for name in public(Association) if not name.startswith("send_c_e")}
    threaded = {n for n in threaded if not n.startswith(("send_n_", "send_c_")) or n in OPERATIONS}
    assert threaded - public(aio.Association) - set(ONLY_THREADED) == set()
    assert public(aio.Association) - threaded - set(ONLY_ASYNCIO) == set()


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_the_same_parameters(name: str) -> None:
    one, other = (
        inspect.signature(getattr(kind, name)).parameters for kind in (Association, aio.Association)
    )
    assert [(p.name, p.kind, p.default) for p in one.values()] == [
        (p.name, p.kind, p.default) for p in other.values()
    ]


def test_an_association_is_asked_for_with_the_same_words() -> None:
    one = set(inspect.signature(AE.associate).parameters) - {"self"}
    other = set(inspect.signature(aio.connect).parameters)
    assert one - other == {"addr", "evt_handlers"}  # host and handlers
    assert other - one == {"host", "handlers", "ae"}


# -- two worlds ------------------------------------------------------------------------------------


class Loop:
    """An event loop in a thread, for a test that is none."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def do(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(WAIT)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(WAIT)
        assert asyncio.all_tasks(self.loop) == set()
        self.loop.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    running = Loop()
    yield running
    running.stop()


async def gathered(values: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in values]


class Threaded:
    """What is asked with blocking calls."""

    def __init__(self, loop: Loop) -> None:
        pass

    @contextmanager
    def served(self, ae: AE, handlers: list[Any]) -> Iterator[int]:
        server = ae.start_server((LOCAL, 0), block=False, evt_handlers=handlers)
        assert isinstance(server, AssociationServer)
        try:
            yield int(server.server_address[1])
        finally:
            ae.shutdown()

    def connect(self, port: int, ae: AE, handlers: list[Any], **more: Any) -> Any:
        assoc = ae.associate(LOCAL, port, evt_handlers=handlers, **more)
        if not assoc.is_established:
            assert assoc.ended is not None
            raise assoc.ended
        return assoc

    def ask(self, assoc: Any, name: str, *args: Any, **more: Any) -> Any:
        found = getattr(assoc, name)(*args, **more)
        return list(found) if hasattr(found, "__next__") else found


class Asyncio:
    """What is asked with coroutines."""

    def __init__(self, loop: Loop) -> None:
        self._do = loop.do

    @contextmanager
    def served(self, ae: AE, handlers: list[Any]) -> Iterator[int]:
        async def start() -> aio.Server:
            return await aio.serve(LOCAL, 0, handlers, ae=ae)

        server = self._do(start())
        try:
            yield server.port
        finally:
            self._do(server.close())

    def connect(self, port: int, ae: AE, handlers: list[Any], **more: Any) -> Any:
        async def start() -> aio.Association:
            return await aio.connect(LOCAL, port, ae=ae, handlers=handlers, **more)

        return self._do(start())

    def ask(self, assoc: Any, name: str, *args: Any, **more: Any) -> Any:
        async def asking() -> Any:
            found = getattr(assoc, name)(*args, **more)
            return await (gathered(found) if hasattr(found, "__anext__") else found)

        return self._do(asking())


WORLDS = [Threaded, Asyncio]


# -- the same handlers and the same scripts in both ------------------------------------------------


def find(event: Any) -> Iterator[Any]:
    if event.identifier.PatientID == "raise":
        raise KeyError("x")
    for number in range(3):
        yield 0xFF00, keys(PatientID=str(number))
        if event.identifier.PatientID == "some":
            raise KeyError("x")


def get(event: Any) -> Iterator[Any]:
    yield 3
    yield 0xFF00, image("1.2.1")
    yield 0xFF00, CT_FILE
    yield 0xFF01, image("1.2.3", sop_class=MR)


def store(event: Any) -> int:
    if event.dataset.PatientID == "raise":
        raise KeyError("x")
    return 0xB000 if event.dataset.PatientID == "warn" else 0x0000


def attributes(event: Any) -> tuple[int, Any]:
    return 0x0000, keys(PatientName="N")


def refuse(event: Any) -> tuple[int, None]:
    return 0x0112, None


def report(event: Any) -> tuple[int, Any]:
    return 0x0107, None


def commit(event: Any) -> tuple[int, Any]:
    return (0x0000, keys(PatientName="A")) if event.action_type == 1 else (0x0123, None)


def move(port: list[int]) -> Callable[[Any], Iterator[Any]]:
    def moving(event: Any) -> Iterator[Any]:
        if event.move_destination != "SCP":
            yield None, None
            return
        yield LOCAL, port[0], {"ae_title": "SCP"}
        yield 2
        yield 0xFF00, image("1.2.1")
        yield 0xFF00, image("1.2.3", sop_class=MR)

    return moving


def handlers(port: list[int]) -> list[Any]:
    return [
        (evt.EVT_C_FIND, find),
        (evt.EVT_C_GET, get),
        (evt.EVT_C_MOVE, move(port)),
        (evt.EVT_C_STORE, store),
        (evt.EVT_N_GET, attributes),
        (evt.EVT_N_SET, refuse),
        (evt.EVT_N_CREATE, attributes),
        (evt.EVT_N_ACTION, commit),
        (evt.EVT_N_DELETE, lambda event: 0x0000),
        (evt.EVT_N_EVENT_REPORT, report),
    ]


def patient(who: str) -> Any:
    dataset = image()
    dataset.PatientID = who
    return dataset


MODEL = {"QueryRetrieveLevel": "PATIENT"}
SCRIPTS: dict[str, tuple[Any, ...]] = {
    "echo": ("c_echo",),
    "echo with a number": ("c_echo", 77),
    "echo with a wrong number": ("c_echo", 70_000),
    "store a data set": ("c_store", image()),
    "store a file": ("c_store", str(CT_FILE), 5, 1),
    "store with a warning": ("c_store", patient("warn")),
    "store into a handler that raises": ("c_store", patient("raise")),
    "store with a wrong priority": ("c_store", image(), 1, 7),
    "store what is not accepted": ("c_store", image(sop_class=MR)),
    "store what is no file": ("c_store", "nowhere.dcm"),
    "store many": ("c_stores", [CT_FILE, image(sop_class=MR), image()]),
    "find": ("c_find", keys(PatientID="", **MODEL), FIND, 3),
    "find with a handler that raises": ("c_find", keys(PatientID="raise", **MODEL), FIND),
    "find with one that raises later": ("c_find", keys(PatientID="some", **MODEL), FIND),
    "find with what is not accepted": ("c_find", keys(), "1.2.3"),
    "get": ("c_get", keys(**MODEL), GET),
    "move": ("c_move", keys(**MODEL), "SCP", MOVE),
    "move to nowhere": ("c_move", keys(**MODEL), "NOBODY", MOVE),
    "move to what is no title": ("c_move", keys(**MODEL), "A TITLE THAT IS TOO LONG", MOVE),
    "get attributes": ("n_get", [0x00100010], PRINTER, INSTANCE),
    "set attributes": ("n_set", keys(), PRINTER, INSTANCE),
    "create": ("n_create", keys(), PRINTER, "1.2.3"),
    "create without a name": ("n_create", keys(), PRINTER),
    "act": ("n_action", keys(), 1, COMMITMENT, INSTANCE),
    "act in another way": ("n_action", keys(), 2, COMMITMENT, INSTANCE),
    "delete": ("n_delete", PRINTER, INSTANCE),
    "report": ("n_event_report", keys(), 1, PRINTER, INSTANCE),
    "cancel nothing": ("send_c_cancel", 1),
    "release": ("release",),
    "abort": ("abort",),
}


def told(outcome: Any) -> Any:
    """What came back, without what differs from one association to the next."""
    if isinstance(outcome, list):
        return [told(each[1] if type(each) is tuple else each) for each in outcome]
    if isinstance(outcome, Exception):
        return type(outcome).__name__, str(outcome)
    if outcome is None:
        return None
    return sorted(outcome.command.items(), key=str), str(outcome), outcome.encoded


def standing(assoc: Any) -> tuple[Any, ...]:
    flags = assoc.is_established, assoc.is_released, assoc.is_aborted, assoc.is_rejected
    return (*flags, type(assoc.ended).__name__, str(assoc.ended))


def answers(client: Any, server: Any, script: str) -> Any:
    """What a script comes to with a client of one world and a server of one."""
    scp, scu = entity("SCP", *CONTEXTS), entity("SCU", *CONTEXTS)
    scp.add_supported_context(CT, scu_role=True, scp_role=True)
    scp.add_requested_context(CT)
    roles = [build_role(CT, scu_role=True, scp_role=True)]
    stores = [(evt.EVT_C_STORE, store)]
    port: list[int] = []
    with server.served(scp, handlers(port)) as listening:
        port.append(listening)
        assoc = client.connect(listening, scu, stores, ext_neg=roles)
        outcome: Any
        try:
            outcome = client.ask(assoc, *SCRIPTS[script])
        except Exception as error:  # noqa: BLE001 - it is what the worlds have to agree on
            outcome = error
        found = told(outcome), standing(assoc)
        client.ask(assoc, "abort")
        return found


@pytest.mark.socket
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_has_the_same_answers_in_both_worlds(script: str, loop: Loop) -> None:
    worlds = [kind(loop) for kind in WORLDS]
    found = [answers(client, server, script) for client in worlds for server in worlds]
    for other in found[1:]:
        assert other == found[0]


def rejected(event: Any) -> None:
    event.assoc.acse.send_reject(1, 1, 3)


def aborted(event: Any) -> None:
    event.assoc.acse.send_abort(0)


Ending = tuple[list[Any], dict[str, Any], str]
ENDINGS: dict[str, Ending] = {
    "rejected": ([(evt.EVT_REQUESTED, rejected)], {}, "c_echo"),
    "aborted while asking": ([(evt.EVT_REQUESTED, aborted)], {}, "c_echo"),
    "no context": ([], {"contexts": ["1.2.3"]}, "c_echo"),
    "aborted by a handler": ([(evt.EVT_C_ECHO, aborted)], {}, "c_echo"),
    "nothing there": ([], {"port": 0}, "c_echo"),
}


@pytest.mark.socket
@pytest.mark.parametrize("name", ENDINGS)
def test_an_end_is_the_same_error_in_both_worlds(name: str, loop: Loop) -> None:
    bound, more, operation = ENDINGS[name]
    found = []
    for client in (kind(loop) for kind in WORLDS):
        for server in (kind(loop) for kind in WORLDS):
            with server.served(entity("SCP"), bound) as port:
                found.append(_end(client, more.get("port", port), more, operation))
    for other in found[1:]:
        assert other == found[0]


def _end(client: Any, port: int, more: dict[str, Any], operation: str) -> Any:
    contexts = [build_context(uid) for uid in more.get("contexts", (VERIFICATION,))]
    with pytest.raises(Exception) as caught:
        client.ask(client.connect(port, entity(), [], contexts=contexts), operation)
    error = caught.value
    return type(error).__name__, str(error), type(error.__cause__).__name__
