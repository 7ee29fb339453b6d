import asyncio

import pytest

from core.realtime.socket_writer import QUEUE_FRAMES_MAX, SocketWriter

pytestmark = pytest.mark.asyncio


class Peer:
    """The server's side of a socket: ``send`` waits while the peer does not read."""

    def __init__(self):
        self.got = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.overflows = 0
        self.fails_with = None
        self.writer = SocketWriter(self.send, self.overflow)

    async def send(self, frame):
        await self.reads.wait()
        if self.fails_with is not None:
            raise self.fails_with
        self.got.append(frame)

    def overflow(self):
        self.overflows += 1


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def test_to_a_peer_that_reads_a_frame_is_sent_before_write_returns_and_without_a_task():
    peer = Peer()
    tasks = asyncio.all_tasks()
    peer.writer.write("a")
    assert peer.got == ["a"]
    assert asyncio.all_tasks() == tasks


async def test_frames_to_a_peer_that_pauses_come_later_and_in_order():
    peer = Peer()
    peer.reads.clear()
    for number in range(10):
        peer.writer.write(str(number))
    await asyncio.sleep(0.01)
    assert peer.got == []
    peer.reads.set()
    await peer.writer.flush()
    peer.writer.write("10")
    assert peer.got == [str(number) for number in range(11)]


async def test_a_frame_written_while_the_queue_drains_does_not_overtake_it():
    peer = Peer()
    peer.reads.clear()
    for number in range(3):
        peer.writer.write(str(number))
    peer.reads.set()
    peer.writer.write("3")
    await until(lambda: len(peer.got) == 4)
    assert peer.got == ["0", "1", "2", "3"]


async def test_the_frame_that_finds_the_queue_full_closes_the_writer_once():
    peer = Peer()
    peer.reads.clear()
    peer.writer.write("being sent")
    for number in range(QUEUE_FRAMES_MAX):
        peer.writer.write(str(number))
    assert (peer.overflows, peer.writer.is_closed) == (0, False)
    peer.writer.write("one too many")
    peer.writer.write("and another")
    assert (peer.overflows, peer.writer.is_closed) == (1, True)
    peer.reads.set()
    await asyncio.sleep(0.01)
    assert peer.got == []


async def test_a_closed_writer_sends_nothing_more():
    peer = Peer()
    peer.reads.clear()
    peer.writer.write("a")
    peer.writer.write("b")
    peer.writer.close()
    peer.reads.set()
    peer.writer.write("c")
    await asyncio.sleep(0.01)
    assert peer.got == []


@pytest.mark.parametrize("reads", [True, False], ids=["at once", "in the task"])
async def test_a_peer_that_has_gone_closes_the_writer_and_is_no_overflow(reads):
    peer = Peer()
    peer.fails_with = ConnectionResetError()
    if not reads:
        peer.reads.clear()
    peer.writer.write("a")
    peer.reads.set()
    await until(lambda: peer.writer.is_closed)
    peer.writer.write("b")
    assert (peer.got, peer.overflows) == ([], 0)


async def test_flushing_waits_for_what_was_written_and_for_nothing_else():
    peer = Peer()
    await peer.writer.flush()
    peer.reads.clear()
    peer.writer.write("a")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await peer.writer.flush()
    peer.reads.set()
    await peer.writer.flush()
    assert peer.got == ["a"]
