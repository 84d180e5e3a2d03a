# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""The HTML reference: links, anchors, form, colours, and its code, run."""

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from html.parser import HTMLParser

SRC = os.environ["XMSG_SRCDIR"]
BUILD = os.environ["XMSG_BUILDDIR"]
sys.path.insert(0, os.path.join(SRC, "tests", "idl"))
import tap  # noqa: E402

IDL = os.path.join(BUILD, "xmsg-idl")
PYTHON = os.path.join(BUILD, "python")
VOID = {"meta", "link", "input", "br", "img", "hr", "wbr"}
# Bytes; the largest page has a share for itself.
PAGE_LIMIT, ALL_LIMIT = 200 * 1024, 800 * 1024
# What may not stand inside a paragraph.
BLOCKS = {"p", "div", "ul", "table", "section", "pre", "h1", "h2", "h3", "h4",
          "h5", "h6", "dl"}


class Page(HTMLParser):
    """One page, taken apart."""

    def __init__(self, name, text):
        super().__init__(convert_charrefs=True)
        self.name = name
        self.stack = []
        self.ids, self.links, self.faults = [], [], []
        self.own_links = []     # those of the text
        self.tags, self.headings = [], []
        self.code = []          # (lang, label, text) in order
        self.examples = []      # (call, [code])
        self._label = None
        self.feed(text)
        self.close()
        if self.stack:
            self.faults.append("open at the end: %s" % self.stack)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.tags.append((tag, a))
        if "id" in a:
            self.ids.append(a["id"])
        for key in ("href", "src"):
            if key in a:
                self.links.append(a[key])
                if "nav" not in self.stack and a.get("class") != "anchor":
                    self.own_links.append(a[key])
        if tag in BLOCKS and "p" in self.stack:
            self.faults.append("%s inside a paragraph" % tag)
        if tag == "a" and "a" in self.stack:
            self.faults.append("a link in a link: %s" % a.get("href"))
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(int(tag[1]))
        if a.get("class") == "example":
            self.examples.append((a["data-call"], []))
        if a.get("class") == "code":
            self.code.append([a["data-lang"], "", ""])
            if any(c == "example" for t, c in self.stack_classes()):
                self.examples[-1][1].append(self.code[-1])
        if tag not in VOID:
            self.stack.append(tag)
            self._classes = getattr(self, "_classes", [])
            self._classes.append(a.get("class", ""))

    def stack_classes(self):
        return list(zip(self.stack, getattr(self, "_classes", [])))

    def handle_endtag(self, tag):
        if not self.stack or self.stack[-1] != tag:
            self.faults.append("</%s> at %s, open: %s" % (
                tag, self.getpos(), self.stack[-3:]))
            return
        self.stack.pop()
        self._classes.pop()

    def handle_data(self, data):
        if "pre" in self.stack:
            self.code[-1][2] += data
        elif self.stack and self._classes[-1] == "label":
            self.code[-1][1] += data


def generate(folder):
    """The reference of the real declarations."""
    subprocess.check_call(
        [IDL, "html", "-o", folder, os.path.join(SRC, "idl", "api")])


def read(path):
    with io.open(path, encoding="utf-8") as f:
        return f.read()


class Reference(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        generate(cls.folder)
        cls.files = sorted(os.listdir(cls.folder))
        cls.text = dict((f, read(os.path.join(cls.folder, f)))
                        for f in cls.files)
        cls.pages = dict((f, Page(f, t)) for f, t in cls.text.items()
                         if f.endswith(".html"))
        cls.api = json.loads(subprocess.check_output(
            [IDL, "openrpc", os.path.join(SRC, "idl", "api")]).decode())

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)


class TestForm(Reference):

    def test_all_pages_are_there(self):
        for name in ("index types errors features versions names protocol "
                     "tutorial Plugin SR Volume Datapath Data Task").split():
            self.assertIn(name + ".html", self.pages)

    def test_tags_nest(self):
        for name, page in self.pages.items():
            self.assertEqual(page.faults, [], name)

    def test_ids_are_unique(self):
        for name, page in self.pages.items():
            twice = set(i for i in page.ids if page.ids.count(i) > 1)
            self.assertEqual(twice, set(), name)

    def test_no_broken_links(self):
        count = 0
        for name, page in self.pages.items():
            for link in page.links:
                if link == "data:,":
                    continue
                path, _, anchor = link.partition("#")
                path = path or name
                self.assertIn(path, self.files, "%s: %s" % (name, link))
                if anchor:
                    self.assertIn(anchor, self.pages[path].ids,
                                  "%s: %s" % (name, link))
                count += 1
        self.assertGreater(count, 2000)

    def test_nothing_from_elsewhere(self):
        # Every address that a browser would follow by itself or on a click.
        for name, page in self.pages.items():
            for link in page.links:
                self.assertNotRegex(link, r"^(\w+:)?//|^https?:", name)
        for name in ("style.css", "page.js", "search-index.js"):
            self.assertNotRegex(self.text[name], r"https?://|@import|url\(",
                                name)
        self.assertNotRegex(self.text["page.js"],
                            r"fetch\(|XMLHttpRequest|import\(|innerHTML")

    def test_weights(self):
        total = 0
        for name in self.files:
            size = len(self.text[name].encode("utf-8"))
            self.assertLess(size, PAGE_LIMIT, name)
            total += size
        self.assertLess(total, ALL_LIMIT)

    def test_output_is_the_same_again(self):
        again = tempfile.mkdtemp()
        try:
            generate(again)
            for name in self.files:
                self.assertEqual(read(os.path.join(again, name)),
                                 self.text[name], name)
        finally:
            shutil.rmtree(again)


class TestAccess(Reference):
    """What people with other senses and other devices rely on."""

    def test_landmarks_and_language(self):
        for name, page in self.pages.items():
            tags = [t for t, a in page.tags]
            for one in ("main", "nav", "header", "footer", "h1", "title"):
                self.assertEqual(tags.count(one), 1, "%s: %s" % (name, one))
            self.assertIn(("html", {"lang": "en"}), page.tags)
            self.assertTrue(any(a.get("name") == "viewport"
                                for t, a in page.tags), name)

    def test_skip_link_comes_first(self):
        for name, page in self.pages.items():
            first = next(a for t, a in page.tags if t == "a")
            self.assertEqual((first["class"], first["href"]),
                             ("skip", "#main"), name)

    def test_headings_leave_no_level_out(self):
        for name, page in self.pages.items():
            last = 0
            for level in page.headings:
                self.assertLessEqual(level, last + 1, name)
                last = level

    def test_controls_have_names(self):
        for name, page in self.pages.items():
            labels = set(a.get("for") for t, a in page.tags if t == "label")
            for t, a in page.tags:
                if t == "input":
                    self.assertIn(a["id"], labels, name)
                if t == "nav":
                    self.assertTrue(a.get("aria-label"), name)
                if t == "a" and a.get("class") == "anchor":
                    self.assertTrue(a.get("aria-label"), name)
                if t == "th":
                    self.assertIn(a.get("scope"), ("row", "col"), name)

    def test_script_only_controls_are_hidden_without_it(self):
        for name, page in self.pages.items():
            for t, a in page.tags:
                if t in ("form", "button"):
                    self.assertIn("hidden", a, name)


def names_of(api):
    """Calls, their parameters, types, members and cases, errors, features."""
    for m in api["methods"]:
        iface = m["name"].split(".")[0]
        yield iface + ".html", m["name"]
        for p in m["params"]:
            yield iface + ".html", m["name"] + "." + p["name"]
        for e in m["x-errors"]:
            yield "errors.html", "error-" + e["name"]
        if "x-feature" in m:
            yield "features.html", "feature-" + m["x-feature"]
    for name, schema in api["components"]["schemas"].items():
        yield "types.html", "type-" + name
        for member in schema.get("properties", {}):
            yield "types.html", "type-%s.%s" % (name, member)
        for case in schema.get("oneOf", []):
            tag = case.get("const") or case["prefixItems"][0]["const"]
            yield "types.html", "type-%s.%s" % (name, tag)


class TestNames(Reference):

    def targets(self, lists):
        """Every place that the text of some page links to, with or without
        the list of all names."""
        found = set()
        for name, page in self.pages.items():
            if name == "names.html" and not lists:
                continue
            for link in page.own_links:
                path, _, anchor = link.partition("#")
                found.add((path or name, anchor))
        return found

    def test_every_name_has_its_anchor(self):
        wanted = set(names_of(self.api))
        self.assertGreater(len(wanted), 300)
        for page, anchor in sorted(wanted):
            self.assertIn(anchor, self.pages[page].ids)

    def test_every_name_is_linked(self):
        wanted = set(names_of(self.api))
        self.assertEqual(wanted - self.targets(True), set())
        # Members and cases are spoken of through their types.
        wanted = set((page, anchor) for page, anchor in wanted
                     if not (page == "types.html" and "." in anchor))
        self.assertGreater(len(wanted), 200)
        self.assertEqual(wanted - self.targets(False), set())

    def test_a_call_links_its_types_and_errors(self):
        for m in self.api["methods"]:
            page = m["name"].split(".")[0] + ".html"
            section = re.search(
                r'<h3 id="%s">.*?</section>' % re.escape(m["name"]),
                self.text[page], re.S).group(0)
            for e in m["x-errors"]:
                self.assertIn('href="errors.html#error-%s"' % e["name"],
                              section, m["name"])
            for p in m["params"]:
                ref = p["schema"].get("$ref")
                if ref:
                    self.assertIn(
                        'href="types.html#type-%s"' % ref.split("/")[-1],
                        section, m["name"])

    def test_lifecycle_badges(self):
        page = self.text["Volume.html"]
        heading = re.search(r'<h3 id="Volume.revert">.*?</h3>', page).group(0)
        self.assertIn("since xapi 26.16.0", heading)
        self.assertIn('href="versions.html#release-xapi-26.16.0"', heading)
        heading = re.search(r'<h3 id="Volume.stat">.*?</h3>', page).group(0)
        self.assertNotIn("since", heading)
        release = re.search(r'id="release-xapi-24.31.0".*?</section>',
                            self.text["versions.html"], re.S).group(0)
        self.assertIn('href="types.html#type-status.complete"', release)

    def test_search_index(self):
        text = self.text["search-index.js"]
        entries = json.loads(text[text.index("["):text.rindex(";")])
        urls = set()
        for name, kind, url, about in entries:
            path, _, anchor = url.partition("#")
            self.assertIn(path, self.pages)
            if anchor:
                self.assertIn(anchor, self.pages[path].ids)
            self.assertTrue(about)
            urls.add((path, anchor))
        parameters = set(
            (m["name"].split(".")[0] + ".html", m["name"] + "." + p["name"])
            for m in self.api["methods"] for p in m["params"])
        self.assertEqual(set(names_of(self.api)) - parameters - urls, set())


def luminance(colour):
    """As the guidelines for accessible web content compute it."""
    parts = [int(colour[i:i + 2], 16) / 255.0 for i in (1, 3, 5)]
    parts = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4
             for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a, b):
    x, y = sorted((luminance(a), luminance(b)), reverse=True)
    return (x + 0.05) / (y + 0.05)


# Every text colour with each ground that it is written on.
PAIRS = {
    "text": "page panel mark fact-back", "soft": "page panel code mark",
    "link": "page panel mark", "accent": "page",
    "code-text": "code", "key": "code", "string": "code", "number": "code",
    "word": "code", "comment": "code", "since": "since-back",
    "fact": "fact-back", "changed": "changed-back", "warn": "warn-back",
    "quiet": "quiet-back",
}


class TestColours(Reference):

    def themes(self):
        css = self.text["style.css"]
        blocks = re.findall(r":root[^{]*\{([^}]*)\}", css)
        self.assertEqual(len(blocks), 3)
        return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", b))
                for b in blocks]

    def test_contrast(self):
        for theme in self.themes():
            for front, backs in PAIRS.items():
                for back in backs.split():
                    self.assertGreaterEqual(
                        contrast(theme[front], theme[back]), 4.5,
                        "%s on %s" % (front, back))

    def test_both_ways_into_the_dark_are_the_same(self):
        light, system, chosen = self.themes()
        self.assertEqual(system, chosen)
        self.assertEqual(set(light), set(system))

    def test_colours_are_only_where_they_are_named(self):
        css = self.text["style.css"].split("* { box-sizing")[1]
        css = css.split("@media print")[0]
        self.assertNotRegex(css, r"#[0-9a-f]{3,6}\b(?![^{]*\{)")
        used = set(re.findall(r"[^-]color: var\(--([\w-]+)\)", css))
        self.assertEqual(used - set(PAIRS), set())


class TestExamples(Reference):
    """What can be copied does what it says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sys.path.insert(0, PYTHON)
        cls.all = [(call, blocks) for page in cls.pages.values()
                   for call, blocks in page.examples]

    @classmethod
    def tearDownClass(cls):
        sys.path.remove(PYTHON)
        super().tearDownClass()

    def by_lang(self, blocks, lang):
        return [text for l, label, text in blocks if l == lang]

    def implementation(self, blocks):
        """The class of an example, made."""
        space = {}
        code = self.by_lang(blocks, "python")[0]
        exec(compile(code, "example", "exec"), space)
        return space["Implementation"]()

    def run_line(self, call, implementation, argv, stdin):
        """One script in this process: exit status and standard output."""
        from xapi.storage.api.v5 import datapath, plugin, task, volume
        iface, name = call.split(".")
        module = next(m for m in (datapath, plugin, task, volume)
                      if hasattr(m, iface + "_commandline"))
        cmd = getattr(module, iface + "_commandline")(implementation)
        old = sys.argv, sys.stdin
        out = io.StringIO()
        sys.argv, sys.stdin = argv, io.StringIO(stdin)
        try:
            with redirect_stdout(out):
                getattr(cmd, name)()
            status = 0
        except SystemExit as e:
            status = e.code
        finally:
            sys.argv, sys.stdin = old
        return status, out.getvalue()

    def test_each_call_has_examples_in_each_language(self):
        self.assertEqual(set(call for call, blocks in self.all),
                         set(m["name"] for m in self.api["methods"]))
        for call, blocks in self.all:
            self.assertEqual([l for l, label, text in blocks],
                             ["json", "json", "python", "python", "ocaml",
                              "console"], call)
            self.assertEqual([label for l, label, text in blocks
                              if l == "python"], ["Plugin", "Caller"], call)

    def test_python_gives_what_json_says(self):
        for call, blocks in self.all:
            request, wanted = map(json.loads, self.by_lang(blocks, "json"))
            failed = "Error" in blocks[1][1]
            status, out = self.run_line(
                call, self.implementation(blocks), [call, "--json"],
                json.dumps(request))
            got = json.loads(out)
            self.assertEqual(status, 1 if failed else 0, call)
            if failed:
                for key in ("files", "lines"):
                    self.assertTrue(got["backtrace"][key])
                    got["backtrace"][key] = []
            self.assertEqual(got, wanted, call)

    def test_callers_send_and_get_what_json_says(self):
        from xapi.storage.switch import Switch
        rpc = Switch.rpc
        self.addCleanup(setattr, Switch, "rpc", rpc)
        for call, blocks in self.all:
            request, answer = map(json.loads, self.by_lang(blocks, "json"))
            failed = "Error" in blocks[1][1]
            sent = []

            def reply(switch, queue, payload, seconds):
                sent.append(json.loads(payload))
                return json.dumps({"id": 0, "result": answer, "error": None}
                                  if not failed else {
                    "id": 0, "result": None, "error":
                    ["Backend_error_with_backtrace", [
                        answer["code"], ["{}"] + answer["params"]]]})

            Switch.rpc = reply
            space, out = {}, io.StringIO()
            with redirect_stdout(out):
                exec(compile(self.by_lang(blocks, "python")[1], "caller",
                             "exec"), space)
            one, = sent
            self.assertEqual(one["method"], "smapiv3." + call)
            params, = one["params"]
            self.assertEqual(dict(params, dbg=request["dbg"]), request, call)
            if failed:
                self.assertEqual(out.getvalue(), answer["params"][1] + "\n")
            else:
                self.assertEqual(space.get("result"), answer, call)

    def test_sessions_print_what_they_show(self):
        for call, blocks in self.all:
            session, = self.by_lang(blocks, "console")
            lines = session.replace("|\n    ", "| ").splitlines()
            self.assertIn(len(lines), (2, 4), call)
            for typed, shown in zip(lines[::2], lines[1::2]):
                words = shlex.split(typed)
                self.assertEqual(words[0], "$")
                stdin = ""
                if words[1] == "printf":
                    self.assertEqual(words[2], r"%s\n")
                    stdin = words[3] + "\n"
                    words = words[4:]
                    self.assertEqual(words[0], "|")
                argv = [words[1][2:]] + words[2:]
                self.assertEqual(argv[0].lower(), call.lower())
                status, out = self.run_line(
                    call, self.implementation(blocks), argv, stdin)
                got, shown = json.loads(out), json.loads(shown)
                if status:
                    got["backtrace"]["files"] = []
                    got["backtrace"]["lines"] = []
                self.assertEqual(got, shown, typed)

    def test_code_fits_its_columns(self):
        for call, blocks in self.all:
            for lang, columns in (("python", 79), ("ocaml", 80)):
                for text in self.by_lang(blocks, lang):
                    for line in text.splitlines():
                        self.assertLessEqual(len(line), columns, call)

    def test_json_elsewhere_is_json(self):
        for name in ("types.html", "errors.html", "protocol.html"):
            for lang, label, text in self.pages[name].code:
                if lang == "json":
                    json.loads(text)


class Typed(Reference):
    """What is on pages of prose, typed as it stands."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.work = tempfile.mkdtemp()
        cls.env = dict(os.environ, PYTHONPATH=PYTHON, LC_ALL="C.UTF-8",
                       PYTHONDONTWRITEBYTECODE="1",
                       PATH=os.path.dirname(sys.executable) + ":"
                       + os.environ["PATH"])
        # A make that runs us would be spoken to by those in the sessions.
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
            cls.env.pop(name, None)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)
        super().tearDownClass()

    def here(self, text):
        return text.replace("/tmp/disks", self.work + "/disks")

    def session(self, text, cwd):
        """Each command with what it should print, in one shell."""
        steps = []
        for line in self.here(text).splitlines():
            if line.startswith("$ "):
                steps.append([line[2:], ""])
            else:
                steps[-1][1] += line + "\n"
        script = "".join("%s\necho '=== end' $?\n" % self.keep(c)
                         for c, shown in steps)
        out = subprocess.run(
            ["sh"], input=script, cwd=cwd, env=self.env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True)
        answers = re.split(r"=== end \d+\n", out.stdout)
        self.assertEqual(len(answers), len(steps) + 1, out.stderr)
        for (command, shown), got in zip(steps, answers):
            self.assertEqual(got, shown, command + "\n" + out.stderr)
        self.assertEqual(out.stderr, "")

    @staticmethod
    def keep(command):
        """`echo $?` is about the command before our own echo."""
        if command == "echo $?":
            return "echo $last"
        return command + "\nlast=$?"

    def both(self, page):
        """A page's blocks up to the first one in OCaml, and from there."""
        code = self.pages[page].code
        langs = [lang for lang, label, text in code] + ["ocaml"]
        at = langs.index("ocaml")
        return code[:at], code[at:]

    def type_all(self, blocks, plugin):
        """Write files, run sessions; how many of these."""
        count = 0
        for lang, label, text in blocks:
            if lang == "console":
                self.session(text, plugin if os.path.isdir(plugin)
                             else self.work)
                count += 1
            elif label:
                with open(os.path.join(plugin, label), "w") as f:
                    f.write(text)
        return count


class TestPython(Typed):

    def test_tutorial_and_protocol(self):
        plugin = os.path.join(self.work, "shelf")
        tutorial, _ = self.both("tutorial.html")
        self.assertEqual(self.type_all(tutorial, plugin), 7)
        protocol, none = self.both("protocol.html")
        self.assertEqual(none, [])
        self.assertEqual(self.type_all(protocol, plugin), 3)


class TestOcaml(Typed):
    """Wants what packaging/setup.sh installs."""

    STRICT = ["-w", "+a-4-9-40-41-42-44-45-70", "-warn-error", "+a", "-g",
              "-package", "unix,yojson"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not shutil.which("ocamlfind") or subprocess.call(
                ["ocamlfind", "query", "yojson"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL):
            raise AssertionError(
                "ocamlfind with yojson is not installed: packaging/setup.sh "
                "installs what the tests need")
        cls.library = os.path.join(cls.work, "library")
        shutil.copytree(os.path.join(BUILD, "ocaml"), cls.library)
        cls.env["SMAPI"] = cls.library

    def built(self, *words, **more):
        """A command that must succeed and have nothing to say."""
        done = subprocess.run(
            words, env=self.env, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True, **more)
        self.assertEqual((done.returncode, done.stdout), (0, ""), words)

    def test_tutorial(self):
        os.mkdir(os.path.join(self.work, "disks"))
        with open(os.path.join(self.work, "disks", "sr.json"), "w") as f:
            f.write("{}")
        plugin = os.path.join(self.work, "shelf-ml")
        os.mkdir(plugin)
        _, blocks = self.both("tutorial.html")
        self.assertEqual(self.type_all(blocks, plugin), 1)

    def test_examples_compile_and_give_what_json_says(self):
        self.built("make", "-s", "-C", self.library, "smapi.cma")
        place = os.path.join(self.work, "examples")
        os.mkdir(place)
        programs = []
        for page in self.pages.values():
            for call, blocks in page.examples:
                text = dict((l, text) for l, label, text in blocks)
                name = "example%d" % len(programs)
                with open(os.path.join(place, name + ".ml"), "w") as f:
                    f.write(text["ocaml"] + "\n")
                programs.append((call, name, blocks))
        self.assertGreater(len(programs), 49)
        self.built("ocamlfind", "ocamlc", *self.STRICT, "-I", self.library,
                   "-c", *[name + ".ml" for call, name, blocks in programs],
                   cwd=place)
        for call, name, blocks in programs:
            request, wanted = [text for l, label, text in blocks
                               if l == "json"]
            wanted = json.loads(wanted)
            self.built("ocamlfind", "ocamlc", "-package", "unix,yojson",
                       "-linkpkg", "-I", self.library, "smapi.cma",
                       name + ".cmo", "-o", call, cwd=place)
            done = subprocess.run(
                [os.path.join(place, call), "--json"], env=self.env,
                input=json.dumps(json.loads(request)) + "\n",
                stdout=subprocess.PIPE, universal_newlines=True)
            got = json.loads(done.stdout)
            failed = "Error" in blocks[1][1]
            self.assertEqual(done.returncode, 1 if failed else 0, call)
            if failed:
                got, wanted = [(v["code"], v["params"])
                               for v in (got, wanted)]
            self.assertEqual(got, wanted, call)


if __name__ == "__main__":
    tap.main()
