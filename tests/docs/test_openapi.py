# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""doc/openapi.yaml is what xmsgd does: the same routes, each operation with each
answer it documents, and each answer as its schema has it, no field more and no
required field less."""

import base64
import json
import os
import re
import sys

import yamlite
from common import Tap, ask, read, served
from broker import PATIENCE, Conn, get

API = yamlite.load(read('doc', 'openapi.yaml'))
METHODS = ('get', 'put', 'post', 'delete')
KINDS = {'object': dict, 'array': list, 'string': str, 'boolean': bool}
SECRET = '{"device":{"chappassword":"hunter2"},"n":1}'


# ---- schemas ----

def resolve(node):
    while '$ref' in node:
        where = API
        for step in node['$ref'].lstrip('#/').split('/'):
            where = where[step]
        node = where
    return node


def is_a(value, kind):
    if kind == 'null':
        return value is None
    if kind == 'integer':
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == 'number':
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])


def faults(value, schema, at, seen):
    """What is wrong with a value; seen collects the fields that came."""
    schema = resolve(schema)
    kinds = schema['type']
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not any(is_a(value, k) for k in kinds):
        yield '%s: %r is no %s' % (at, value, ' or '.join(kinds))
        return
    if 'enum' in schema and value not in schema['enum']:
        yield '%s: %r is none of %s' % (at, value, schema['enum'])
    if isinstance(value, dict):
        fields = schema['properties']
        for name in schema.get('required', ()):
            if name not in value:
                yield '%s.%s is missing' % (at, name)
        for name, v in value.items():
            if name not in fields:
                yield '%s.%s is not documented' % (at, name)
            else:
                seen.add(id(fields[name]))
                yield from faults(v, fields[name], at + '.' + name, seen)
    if isinstance(value, list):
        for i, v in enumerate(value):
            yield from faults(v, schema['items'], '%s[%d]' % (at, i), seen)


def fields_of(schema, at):
    """(id, name) of every field below a schema."""
    schema = resolve(schema)
    for name, sub in schema.get('properties', {}).items():
        yield id(sub), at + '.' + name
        if '$ref' not in sub:
            yield from fields_of(sub, at + '.' + name)
    if 'items' in schema and '$ref' not in schema['items']:
        yield from fields_of(schema['items'], at)


# ---- operations ----

def operations():
    """operationId -> (METHOD, path, operation)."""
    return {op['operationId']: (m.upper(), path, op)
            for path, item in API['paths'].items()
            for m, op in item.items() if m in METHODS}


def routes_of_source():
    rows = re.findall(r'\{"([A-Z]+)", "([a-z*/]+)", \w+\}',
                      read('broker', 'api_v1.c'))
    for method, path in rows:
        names = iter(('{id}',) if path.startswith('removed') else
                     ('{queue}', '{id}'))
        yield '%s /v1/%s' % (method, re.sub(r'\*', lambda m: next(names),
                                            path))


class Run:
    """Calls operations and keeps account of what has been seen."""

    def __init__(self, tap, broker):
        self.tap, self.broker = tap, broker
        self.ops = operations()
        self.c = broker.conn()
        self.answered, self.seen = set(), set()

    def call(self, name, status, queue='q', number=0, query='', body=''):
        method, path, op = self.ops[name]
        target = path.replace('{queue}', queue).replace('{id}', str(number))
        return self.judge(name, op, '%s %s%s' % (method, target, query),
                          status, *ask(self.c, method, target + query, body))

    def judge(self, name, op, what, status, got, data, kind):
        value, why = None, []
        if got != status:
            why.append('got %d, want %d' % (got, status))
        if kind != 'application/json':
            why.append('content-type %s' % kind)
        answer = op['responses'].get(str(got))
        if answer is None:
            why.append('%d is not documented' % got)
        else:
            value = json.loads(data)
            schema = resolve(answer)['content']['application/json']['schema']
            why += faults(value, schema, '$', self.seen)
            self.answered.add((name, str(got)))
        self.tap.ok(not why, '%s: %d' % (what, status), '\n'.join(why))
        return value


def queues(run):
    run.call('createQueue', 200)
    run.call('createQueue', 200)
    run.call('createQueue', 400, queue='%01')
    run.call('getQueue', 200)
    run.call('getQueue', 404, queue='none')
    run.c.login('me')
    run.c.create('me', transient=True)
    run.call('getQueue', 200, queue='me')
    for i in range(3):
        run.call('createQueue', 200, queue='z%d' % i)
    page = run.call('listQueues', 200, query='?prefix=z&limit=2')
    run.tap.ok(page['next'] == 'z1', 'a page of queues ends with its next')
    page = run.call('listQueues', 200, query='?prefix=z&after=z1')
    run.tap.ok([q['name'] for q in page['queues']] == ['z2'] and
               page['next'] is None, 'the next page goes on there')
    run.call('listQueues', 400, query='?limit=0')
    run.call('destroyQueue', 400, queue='z2', query='?if_empty=2')
    kept = run.c.publish('z2', 'one', 'me')
    run.call('destroyQueue', 409, queue='z2', query='?if_empty=1')
    run.c.ack('z2', kept)
    run.call('destroyQueue', 200, queue='z2', query='?if_empty=1')
    run.call('destroyQueue', 404, queue='z2')


def sends(run):
    """A call in two exchanges: one of the caller, one of the consumer."""
    stranger = run.c
    run.call('sendMessage', 400, query='?create=2')
    run.call('sendMessage', 404, queue='none')
    one = run.call('sendMessage', 200, queue='daily', query='?create=1',
                   body='1')
    run.call('replyToMessage', 200, queue='daily', number=one['id'],
             query='?wait=0', body='pong')
    two = run.call('sendMessage', 200, queue='daily', query='?wait=0&next=-1',
                   body='2')
    run.tap.ok([m[1]['payload'] for m in two['messages']] == ['pong'],
               'a call has its reply')
    done = run.call('replyToMessage', 200, queue='daily', number=two['id'],
                    query='?next=-1', body='pong')
    run.tap.ok(done['messages'] == [], 'a consumer hears of what is next')
    run.c = run.broker.conn()
    run.call('sendMessage', 403, queue='daily')
    three = run.call('sendMessage', 200, queue='daily',
                     query='?reply_to=me&ack=%d' % done['id'])
    run.call('replyToMessage', 403, queue='daily', number=three['id'],
             query='?wait=1')
    run.c = stranger
    run.c.destroy('daily')
    run.c.destroy('me')
    run.c.create('me', transient=True)


def messages(run):
    sends(run)
    first = run.c.publish('q', SECRET, 'me')
    second = run.c.publish('q', 'two', 'me')
    run.c.poll(['q'])
    page = run.call('listMessages', 200, query='?limit=1&payload=1')
    run.tap.ok(page['next'] == first and
               'hunter2' not in page['messages'][0]['payload'],
               'a page of messages is cut, and redacted')
    run.call('listMessages', 200, query='?after=%d' % first)
    run.call('listMessages', 400, query='?payload=2')
    run.call('listMessages', 404, queue='none')
    one = run.call('getMessage', 200, number=first)
    run.tap.ok('***' in one['payload'], 'a message is redacted')
    raw = run.call('getMessage', 200, number=first, query='?payload=raw')
    run.tap.ok(base64.b64decode(raw['payload_base64']).decode() == SECRET,
               'a raw payload is whole')
    run.call('getMessage', 400, number='x')
    run.call('getMessage', 404, number=1)
    return first, second


def acts(run, first, second):
    for name in ('holdMessage', 'releaseMessage'):
        run.call(name, 200, number=first)
        run.call(name, 400, number='x')
        run.call(name, 404, number=1)
        state = run.call('getMessage', 200, number=first)['state']
        run.tap.ok(state == {'h': 'held', 'r': 'delivered'}[name[0]],
                   'after %s it is %s' % (name, state))
    done = run.call('replyToMessage', 200, number=first, body='pong')
    again = run.call('replyToMessage', 200, number=first, body='pong')
    run.tap.ok(done['id'] == again['id'] and again['duplicate'] and
               not done['duplicate'], 'one reply, whoever repeats it')
    run.call('getMessage', 200, queue='me', number=done['id'])
    run.call('replyToMessage', 409, queue='me', number=done['id'])
    run.call('replyToMessage', 400, number='x')
    run.call('replyToMessage', 404, number=1)
    run.call('deleteMessage', 200, number=second)
    run.call('deleteMessage', 404, number=second)
    run.call('deleteMessage', 400, number='x')
    run.call('requeueMessage', 400, number='x')
    run.call('requeueMessage', 404, number=second)
    late = run.c.publish('q', 'answered', 'me')
    run.call('requeueMessage', 200, number=late)
    run.c.respond('me', 'q', late, 'pong')
    run.call('requeueMessage', 409, number=late)
    third = run.c.publish('q', '{"method":"m","id":3}', 'me')
    run.call('cancelMessage', 400, number=third, body='[]')
    done = run.call('cancelMessage', 200, number=third,
                    body='{"who":"me","reason":"a test"}')
    run.call('getMessage', 200, queue='me', number=done['reply']['id'])
    run.call('cancelMessage', 404, number=third)


def many(run):
    run.call('pauseQueue', 404, queue='none')
    run.call('resumeQueue', 404, queue='none')
    run.call('pauseQueue', 200)
    run.tap.ok(run.call('getQueue', 200)['paused'], 'it is paused')
    run.call('resumeQueue', 200)
    run.call('createQueue', 200, queue='p')
    ids = [run.c.publish('p', '{"method":"m"}', 'me') for _ in range(3)]
    run.call('purgeQueue', 400, queue='p', body='{"stat":"held"}')
    run.call('purgeQueue', 404, queue='none')
    run.call('purgeQueue', 200, queue='p', body='{"dry_run":true}')
    done = run.call('purgeQueue', 200, queue='p',
                    body='{"method":"m","state":"ready","older":0,"limit":9}')
    run.tap.ok(done['messages'] == done['replied'] == 3, 'three are gone')
    page = run.call('listRemoved', 200, query='?queue=p&limit=2')
    run.tap.ok([m['id'] for m in page['removed']] == ids[:2] and
               page['next'] == ids[1], 'a page of what was removed')
    run.call('listRemoved', 400, query='?act=0')
    run.call('restoreMessage', 200, number=ids[1])
    run.call('restoreMessage', 404, number=ids[1])
    run.call('restoreMessage', 400, number='x')
    run.call('restoreMessages', 400)
    run.call('restoreMessages', 200, body='{"act":%d}' % done['act'])
    run.call('purgeQueue', 200, queue='p')
    run.call('destroyQueue', 200, queue='p')
    run.call('restoreMessages', 404, body='{"queue":"p"}')


def whole(run):
    run.call('getStatus', 200)
    run.call('getHealth', 200)
    run.call('listClients', 200)
    got, data, kind = ask(run.c, 'GET', '/metrics')
    documented, = run.ops['getMetrics'][2]['responses']['200']['content']
    run.tap.ok(got == 200 and kind.split(';')[0] == documented,
               'GET /metrics: 200, %s' % kind)
    run.answered.add(('getMetrics', '200'))
    page = run.call('listEvents', 200, query='?after=-1')
    types = {e['type'] for e in page['events']}
    run.tap.ok({'start', 'login', 'create', 'destroy', 'publish', 'reply',
                'deliver', 'ack', 'hold', 'release'} <= types,
               'the recorder has what was done', sorted(types))
    run.call('listEvents', 400, query='?wait=301')
    run.call('listEvents', 200, query='?kind=cancel&after=-1')
    other = run.broker.conn()
    other.send(get('/v1/events?after=%d&wait=%d' % (page['next'],
                                                    int(PATIENCE))))
    run.c.v1('/queues/new', 'PUT')
    events = other.reply().json()['events']
    run.tap.ok([e['type'] for e in events] == ['create'],
               'a waiting reader is told of the next event', events)


def limits(tap, account):
    """What needs a small limit has a broker of its own."""
    with served(tap, 'the small broker', '--set', 'limits.queues=1') as broker:
        run = Run(tap, broker)
        run.call('createQueue', 200)
        run.call('createQueue', 429, queue='two')
        account.answered |= run.answered


def as_nobody(sock, target):
    """(status, body, content-type) of a GET by another user."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        status, body, kind = ask(Conn(sock), 'GET', target)
        os.write(w, json.dumps([status, body.decode(), kind]).encode())
        os._exit(0)
    os.close(w)
    os.waitpid(pid, 0)
    with os.fdopen(r) as f:
        return json.loads(f.read())


def other_user(tap, account):
    name = 'another user is not shown raw payloads'
    if os.getuid() != 0:
        account.answered.add(('getMessage', '403'))
        tap.skip(name, 'only root can be another user')
        return
    with served(tap, 'the open broker', '--set', 'server.mode=666') as broker:
        os.chmod(broker.folder, 0o755)
        run = Run(tap, broker)
        run.call('createQueue', 200)
        run.c.login('me')
        target = '/v1/queues/q/messages/%d?payload=raw' % \
            run.c.publish('q', 'x', 'me')
        run.judge('getMessage', run.ops['getMessage'][2], name, 403,
                  *as_nobody(broker.socket, target))
        account.answered |= run.answered


def in_requests(name):
    """Is it a field of what is sent?"""
    schema, _, field = name.partition('.')
    fields = API['components']['schemas'][schema]['properties']
    return 'x-request-only' in fields.get(field, ())


def account_for(tap, run):
    """Everything that is documented has been seen."""
    want = {(name, status) for name, (_, _, op) in run.ops.items()
            for status, answer in op['responses'].items()
            if 'x-not-provoked' not in answer}
    silent = sorted('%s %s' % x for x in want - run.answered)
    tap.ok(want and not silent, 'every documented answer was given', silent)
    missing = [name for s, schema in API['components']['schemas'].items()
               for i, name in fields_of(schema, s)
               if i not in run.seen and not in_requests(name)]
    tap.ok(not missing, 'every documented field was seen', missing)


def main():
    tap = Tap()
    tap.same(['%s %s' % (m, p) for m, p, _ in operations().values()],
             list(routes_of_source()) + ['GET /metrics'], 'openapi.yaml has the routes of api_v1.c')
    with served(tap, 'xmsgd') as broker:
        run = Run(tap, broker)
        queues(run)
        acts(run, *messages(run))
        held = run.c.publish('q', 'three', 'me')
        run.call('holdMessage', 200, number=held)
        run.call('listMessages', 200, query='?state=held&method=*&older=0')
        many(run)
        whole(run)
    limits(tap, run)
    other_user(tap, run)
    account_for(tap, run)
    return tap.done()


sys.exit(main())
