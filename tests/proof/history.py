# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Is a history of operations one that queues could have?

A history is a list of operations of many clients on one broker that was killed
now and then.  Each has the time before it was sent and the time after its answer
had come, or None for an answer that never came: then it may have been done, or
not.  What follows from these times alone is checked:

  thin air      a message was received that nobody sent there, or that differs
  id twice      one id for two messages
  id shrinks    sent after another was answered, and its id is not greater
  order         ids in one answer do not ascend, or are not above the cursor
  lost          it was there before a poll, is not in its answer, and nobody
                had begun to take it away
  back          it is in the answer to a poll that began after it was taken away
  two replies   a request has two of them
"""
import bisect
import collections

# one of a queue: value sent, id or None
Send = collections.namedtuple("Send", "begin end queue value id")
# one to a request: its id too
Reply = collections.namedtuple("Reply", "begin end queue value request id")
Ack = collections.namedtuple("Ack", "begin end queue id")
# messages: (id, value, id of the request or 0); whole: nothing was left behind
Poll = collections.namedtuple("Poll", "begin end queue above messages whole")

NEVER = float("inf")


class Message:
    """What is known of one id."""
    __slots__ = ("queue", "value", "request", "begin", "there", "going", "gone")

    def __init__(self, queue, value, request):
        self.queue, self.value, self.request = queue, value, request
        self.begin = NEVER  # nobody can have had it before
        self.there = NEVER  # everybody must get it from here on ...
        self.going = NEVER  # ... to here
        self.gone = NEVER   # nobody may get it from here on


class Checker:
    def __init__(self, events, most=20):
        self.events, self.most = events, most
        self.found = []
        self.by_id = {}
        self.attempts = collections.defaultdict(list)
        self.sent = {}

    def bad(self, kind, text, *args):
        self.found.append((kind, text % args))

    def run(self):
        """The anomalies, as (kind, sentence)."""
        for check in (self.note_sends, self.note_polls, self.note_acks,
                      self.check_growth, self.check_polls):
            check()
            if len(self.found) > self.most:
                break
        return self.found

    # ---- what each id is ----

    def note(self, ident, queue, value, request):
        """The message of this id; the first who names it says what it is."""
        m = self.by_id.get(ident)
        if m is None:
            m = self.by_id[ident] = Message(queue, value, request)
        elif (m.queue, m.request) != (queue, request) or (
                value is not None and m.value is not None and
                m.value != value):
            self.bad("id twice", "%d is %r in %s for %d, and %r in %s for %d",
                     ident, m.value, m.queue, m.request, value, queue, request)
        if m.value is None:
            m.value = value
        return m

    def note_sends(self):
        for e in self.events:
            if isinstance(e, Send):
                self.sent[e.queue, e.value] = e
                if e.id is not None:
                    m = self.note(e.id, e.queue, e.value, 0)
                    m.begin = min(m.begin, e.begin)
                    m.there = min(m.there, e.end)
            elif isinstance(e, Reply):
                self.attempts[e.request].append(e)
        for request, tries in self.attempts.items():
            ids = sorted({e.id for e in tries if e.id is not None})
            if len(ids) > 1:
                self.bad("two replies", "%d has %s", request, ids)
            for e in tries:
                if e.id is not None:
                    # which of the attempts it was, its receiver will see
                    m = self.note(e.id, e.queue, None, request)
                    m.begin = min(t.begin for t in tries)
                    m.there = min(m.there, e.end)

    def note_polls(self):
        """What came, whoever knows its id; and that it was sent."""
        replies = {}
        for e in self.events:
            if not isinstance(e, Poll):
                continue
            for ident, value, request in e.messages:
                m = self.note(ident, e.queue, value, request)
                m.there = min(m.there, e.end)
                if request == 0:
                    sent = self.sent.get((e.queue, value))
                    begin = sent.begin if sent else NEVER
                    if sent and sent.id not in (None, ident):
                        self.bad("id twice", "%r was sent as %d, came as %d",
                                 value, sent.id, ident)
                else:
                    begin = min((t.begin for t in self.attempts.get(request, ())
                                 if (t.queue, t.value) == (e.queue, value)),
                                default=NEVER)
                    first = replies.setdefault(request, ident)
                    if first != ident:
                        self.bad("two replies", "%d has %d and %d", request,
                                 first, ident)
                if begin > e.end:
                    self.bad("thin air", "%d in %s: %r was not sent", ident,
                             e.queue, value)
                m.begin = min(m.begin, begin)

    def note_acks(self):
        for e in self.events:
            if isinstance(e, Ack) and e.id in self.by_id:
                m = self.by_id[e.id]
                if m.queue != e.queue:
                    continue
                m.going = min(m.going, e.begin)
                if e.end is not None:
                    m.gone = min(m.gone, e.end)
        for request, tries in self.attempts.items():
            if request in self.by_id:  # answered: a restart may remove it
                m = self.by_id[request]
                m.going = min(m.going, min(t.begin for t in tries))

    # ---- what may not be ----

    def check_growth(self):
        """Ids in the order of time, where time says which was first."""
        made = sorted((m.begin, i) for i, m in self.by_id.items()
                      if m.begin < NEVER)
        ended = sorted((m.there, i) for i, m in self.by_id.items()
                       if m.there < NEVER)
        at, most = 0, -1
        for begin, ident in made:
            while at < len(ended) and ended[at][0] < begin:
                most = max(most, ended[at][1])
                at += 1
            if most >= ident:
                self.bad("id shrinks", "%d was answered before %d was sent",
                         most, ident)
                if len(self.found) > self.most:
                    return

    def check_polls(self):
        """Each answer against what must and what may be in it.  In order of
        time, so that only the messages that are there are looked at."""
        polls = sorted((e for e in self.events if isinstance(e, Poll)),
                       key=lambda e: e.begin)
        coming = sorted((m.there, i) for i, m in self.by_id.items())
        there = collections.defaultdict(list)  # queue: sorted ids
        at = 0
        for e in polls:
            while at < len(coming) and coming[at][0] < e.begin:
                bisect.insort(there[self.by_id[coming[at][1]].queue],
                              coming[at][1])
                at += 1
            self.check_poll(e, there[e.queue])
            if len(self.found) > self.most:
                return

    def check_poll(self, e, there):
        ids = [m[0] for m in e.messages]
        if any(a >= b for a, b in zip(ids, ids[1:])) or (
                ids and ids[0] <= e.above):
            self.bad("order", "%s above %d: %s", e.queue, e.above, ids[:20])
        for i in ids:
            if self.by_id[i].gone < e.begin:
                self.bad("back", "%d is in %s again: %r", i, e.queue,
                         self.by_id[i].value)
        upto = NEVER if e.whole else ids[-1] if ids else e.above
        got = set(ids)
        over = []
        for k in range(bisect.bisect_right(there, e.above), len(there)):
            i = there[k]
            if i > upto:
                break
            if self.by_id[i].going < e.begin:
                over.append(i)  # of no interest to later polls either
            elif i not in got and self.by_id[i].going > e.end:
                self.bad("lost", "%d is not in %s above %d: %r", i, e.queue,
                         e.above, self.by_id[i].value)
        for i in over:
            del there[bisect.bisect_left(there, i)]


def check(events):
    return Checker(events).run()
