# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Messages are chosen by the broker: by number, size, origin and text, each alone
and together, over pages, and never by what is masked."""
import json
import os
import sys
import urllib.parse

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "docs"))
import tap  # noqa: E402
import yamlite  # noqa: E402
from broker import Broker, get, post  # noqa: E402

SRC = os.environ.get("XMSG_SRCDIR", os.path.join(HERE, "..", ".."))
SECRET = "hunter2"


class Choose(tap.Case):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.c = c = cls.broker.conn("xapi:1")
        cls.other = cls.broker.conn("xenopsd")
        c.create("q")
        cls.ids = [
            c.publish("q", "x" * 10),
            c.publish("q", json.dumps({"method": "SR.attach", "params": [
                {"chappassword": SECRET, "device": "sda"}]})),
            cls.other.publish("q", json.dumps({"method": "SR.detach",
                                               "text": "\u00e9t\u00e9"})),
            c.publish("q", "y" * 70000 + " far" + "z" * 60),
            cls.other.publish("q", ""),
        ]

    @classmethod
    def tearDownClass(cls):
        cls.c.close()
        cls.other.close()
        cls.broker.remove()

    def logged(self):
        return self.broker.read_log()

    def page(self, status=200, queue="q", **query):
        text = urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        got = self.c.v1("/queues/%s/messages?%s" % (queue, text))
        self.assertEqual(got[0], status, got)
        return got[1]

    def chosen(self, queue="q", **query):
        """All pages: the numbers of ours, from 0."""
        ids, after = [], -1
        while after is not None:
            page = self.page(queue=queue, after=after, **query)
            ids += [m["id"] for m in page["messages"]]
            after = page["next"]
        return [self.ids.index(i) for i in ids]

    def test_by_number(self):
        self.assertEqual(self.chosen(up_to=self.ids[2]), [0, 1, 2])
        self.assertEqual(self.chosen(up_to=self.ids[0] - 1), [])
        self.assertEqual(self.chosen(up_to=2 ** 63 - 1), [0, 1, 2, 3, 4])
        page = self.page(after=self.ids[0], up_to=self.ids[3], limit=2)
        self.assertEqual([m["id"] for m in page["messages"]], self.ids[1:3])
        self.assertEqual(page["next"], self.ids[2])
        page = self.page(after=self.ids[0], up_to=self.ids[2], limit=2)
        self.assertIsNone(page["next"])

    def test_by_size(self):
        self.assertEqual(self.chosen(max_size=0), [4])
        self.assertEqual(self.chosen(min_size=10, max_size=10), [0])
        self.assertEqual(self.chosen(min_size=11), [1, 2, 3])
        self.assertEqual(self.chosen(min_size=70000), [3])
        self.assertEqual(self.chosen(min_size=2 ** 40), [])

    def test_by_origin(self):
        for glob, want in (("xapi:1", [0, 1, 3]), ("xapi:*", [0, 1, 3]),
                           ("x*", [0, 1, 2, 3, 4]), ("xenops?", [2, 4]),
                           ("xenops", []), ("*:?", [0, 1, 3]), ("?", []),
                           ("*n*p*d", [2, 4]), ("x*i*1*", [0, 1, 3]),
                           ("[x]api:1", []), ("xapi:1&limit=1", []),
                           ("*" * 200 + "q", [])):
            self.assertEqual(self.chosen(origin=glob), want, glob)
        self.assertEqual(self.chosen(origin=self.program()), [0, 1, 2, 3, 4])

    def program(self):
        """The name of this process, as the broker knows it."""
        return self.page(limit=1)["messages"][0]["comm"]

    def test_by_text(self):
        for text, want in (("xxxxxxxxxx", [0]), ("SR.", [1, 2]),
                           ("sr.", []), ("device", [1]),
                           ("%C3%A9", []), (".*", [])):
            self.assertEqual(self.chosen(grep=text), want, text)
        self.assertEqual(self.chosen(grep="yyyyy"), [3])
        # behind what is searched
        self.assertEqual(self.chosen(grep="far"), [])
        self.assertEqual(self.chosen(grep="z" * 50), [])

    def test_not_by_what_is_masked(self):
        """Nor by a part of it, nor by how long it is; the mask can be found."""
        for text in (SECRET, SECRET[:3], SECRET[-1:] + '"', '"h',
                     'chappassword": "h', 'd": "hunter2"'):
            self.assertEqual(self.chosen(grep=text), [], text)
        self.assertEqual(self.chosen(grep="chappassword"), [1])
        self.assertEqual(self.chosen(grep="***"), [1])

    def test_together(self):
        self.assertEqual(self.chosen(grep="SR.", origin="xapi*"), [1])
        self.assertEqual(self.chosen(grep="SR.", method="SR.d*"), [2])
        self.assertEqual(self.chosen(grep="SR.", min_size=1,
                                     up_to=self.ids[1], state="ready",
                                     older=0), [1])
        self.assertEqual(self.chosen(grep="x", max_size=5), [])

    def test_marks_between_parameters_in_a_value(self):
        """A value is no parameter, whatever is in it."""
        self.assertEqual(self.chosen(origin="*&max_size=0"), [])
        self.assertEqual(self.chosen(grep="&max_size=0&", origin="*"), [])
        self.assertEqual(len(self.page(grep="SR.", limit=1000)["messages"]), 2)

    def test_what_is_malformed(self):
        for query in ({"up_to": "x"}, {"up_to": -1}, {"min_size": -1},
                      {"max_size": "1k"}, {"min_size": 2 ** 63},
                      {"origin": "x" * 256}, {"grep": "x" * 256}):
            self.page(status=400, **query)
        self.assertEqual(self.chosen(grep="x" * 255), [])
        self.assertEqual(self.chosen(grep="", origin=""), [0, 1, 2, 3, 4])

    def test_what_the_document_names(self):
        """Each parameter of doc/openapi.yaml is known: it changes something,
        or is refused when it makes no sense."""
        with open(os.path.join(SRC, "doc", "openapi.yaml")) as f:
            api = yamlite.load(f.read())
        op = api["paths"]["/v1/queues/{queue}/messages"]["get"]
        tries = {"after": self.ids[0], "limit": 1, "state": "held",
                 "method": "SR.attach", "older": 3000, "payload": 1,
                 "up_to": self.ids[0], "min_size": 1, "max_size": 1,
                 "origin": "nobody", "grep": "nothing"}
        self.assertEqual(sorted(p["name"] for p in op["parameters"]),
                         sorted(tries))
        everything = self.page()["messages"]
        for p in op["parameters"]:
            with self.subTest(p["name"]):
                got = self.page(**{p["name"]: tries[p["name"]]})["messages"]
                self.assertNotEqual([sorted(m) for m in got],
                                    [sorted(m) for m in everything])
                if p["schema"]["type"] == "integer":
                    self.page(status=400, **{p["name"]: "x"})
                if "maxLength" in p["schema"]:
                    self.page(status=400, **{
                        p["name"]: "x" * (p["schema"]["maxLength"] + 1)})


class Pages(tap.Case):
    """A search reads a little for each page, and others are served between."""
    LARGE = 100 * 1024
    N = 40

    def test_a_search_is_cut(self):
        with Broker() as b, b.conn("me") as c, b.conn("works") as w:
            c.create("q")
            w.create("other")
            for i in range(self.N):
                c.publish("q", "%04d" % i + "x" * self.LARGE)
            after, pages, found = -1, 0, []
            while after is not None:
                c.send(get("/v1/queues/q/messages?grep=0033x&after=%d" % after))
                w.publish("other", "x")
                page = c.reply().json()
                found += page["messages"]
                after = page["next"]
                pages += 1
            self.assertEqual(len(found), 1)
            # two of them are less than 256 KiB, three are more
            self.assertEqual(pages, self.N // 2)
            self.assertEqual(b.queue("other")["messages"], pages)

    def test_one_that_is_larger_than_a_page(self):
        with Broker() as b, b.conn("me") as c:
            c.create("q")
            c.ok(post("/request/q/me", "front" + "x" * (1 << 20)))
            got = c.v1("/queues/q/messages?grep=front")[1]
            self.assertEqual((len(got["messages"]), got["next"]), (1, None))


if __name__ == "__main__":
    tap.main()
