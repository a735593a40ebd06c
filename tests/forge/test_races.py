"""Many writers at once: in the end there is one comment, and it is the newest result's."""

import heapq
import itertools
import random

import pytest

from gitops_guard.errors import ForgeError
from gitops_guard.forge.host import Comment, Limits, Pull
from gitops_guard.forge.marker import marker_of
from gitops_guard.forge.sticky import Sticky, Text

OLD, NEW = "1" * 40, "2" * 40


class World:
    """One forge in simulated time: every call takes a random way there and back."""

    limits = Limits()

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.head = OLD
        self.found = {}
        self.ids = itertools.count(1)

    # What the server does, at one moment

    def serve(self, name, arguments):
        if name == "pull":
            return Pull(number=7, head=self.head, target="main", is_open=True, is_fork=False)
        if name == "comments":
            return tuple(Comment(id=number, author="me", body=body) for number, body in sorted(self.found.items()))
        if name == "create_comment":
            self.found[next(self.ids)] = arguments[1]
        elif name == "update_comment":
            if arguments[1] not in self.found:
                return ForgeError("gone", status=404)
            self.found[arguments[1]] = arguments[2]
        elif name == "delete_comment":
            self.found.pop(arguments[1], None)
        return None

    def me(self):
        return "me"


class Asking:
    """A forge for one writer; each call is handed to whoever keeps the time."""

    limits = Limits()

    def __init__(self, baton):
        self.ask = baton

    def me(self):
        return "me"

    def __getattr__(self, name):
        return lambda *arguments: self.ask(name, arguments)


def run(seed, writers):
    """Let writers of two commits loose, the newer commit's arriving in the middle; return what is left."""
    import threading

    world = World(seed)
    queue, order = [], itertools.count()
    turns, failed = {}, []
    done = threading.Semaphore(0)

    def wait(at, number, what):
        heapq.heappush(queue, (at, next(order), number, what))

    class Writer(threading.Thread):
        def __init__(self, number, starts, head, generation):
            super().__init__(daemon=True)
            self.number, self.now, self.head, self.generation = number, starts, head, generation
            self.answer = None
            self.go = threading.Semaphore(0)

        def hop(self, name, arguments):
            there, back = (world.random.uniform(0.001, 0.010) for _ in range(2))
            wait(self.now + there, self.number, (name, arguments))
            done.release()
            self.go.acquire()
            self.now += there + back
            if isinstance(self.answer, ForgeError):
                raise self.answer
            return self.answer

        def settle(self):
            wait(self.now + 0.05, self.number, ("sleep", ()))
            done.release()
            self.go.acquire()
            self.now += 0.05

        def run(self):
            self.go.acquire()
            text = Text(body=f"{self.head} {self.generation}", digest=f"{int(self.head[0])}{self.generation:031x}")
            Sticky(Asking(self.hop), 7, key="k", head=self.head, generation=self.generation, settle=self.settle).write(
                [text]
            )
            done.release()

    heads = [OLD if number % 2 else NEW for number in range(writers)]
    for number, head in enumerate(heads):
        starts = world.random.uniform(0, 0.02) + (0.01 if head == NEW else 0)
        turns[number] = Writer(number, starts, head, number + (100 if head == NEW else 1))
        turns[number].start()
        wait(starts, number, ("start", ()))
    wait(0.01, -1, ("push", ()))
    while queue:
        _, _, number, (name, arguments) = heapq.heappop(queue)
        if number < 0:
            world.head = NEW
            continue
        turns[number].answer = world.serve(name, arguments)
        turns[number].go.release()
        done.acquire()
    newest = max(number + 100 for number, head in enumerate(heads) if head == NEW)
    assert [] == failed
    return [marker_of(body) for body in world.found.values()], newest


@pytest.mark.parametrize("writers", [2, 4, 8])
def test_comment_when_many_write_at_once_then_one_is_left_and_it_is_of_the_newest_commit(writers):
    wrong = []
    for seed in range(334):
        left, newest = run(seed * 10 + writers, writers)
        if len(left) != 1 or left[0].head != NEW or left[0].generation != newest:
            wrong.append((seed, left))
    assert [] == wrong
