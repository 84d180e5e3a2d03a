/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the pages can do beyond being read: search, a choice of colours, one
 * language of examples at a time, copying.  They are complete without it.
 * Nothing is fetched, so that it works from a file as well. */
(function () {
  "use strict";

  var root = document.documentElement;

  /* What was chosen on another page; a browser may refuse to remember. */
  function remembered(key) {
    try {
      return window.localStorage.getItem("reference-" + key);
    } catch (e) {
      return null;
    }
  }

  function remember(key, value) {
    try {
      window.localStorage.setItem("reference-" + key, value);
    } catch (e) {
      return;
    }
  }

  function make(name, attributes, text) {
    var element = document.createElement(name), key;
    for (key in attributes) {
      element.setAttribute(key, attributes[key]);
    }
    if (text !== undefined) {
      element.textContent = text;
    }
    return element;
  }

  /* ---- colours ---- */

  var themes = ["auto", "light", "dark"];

  function setTheme(theme) {
    if (theme === "light" || theme === "dark") {
      root.setAttribute("data-theme", theme);
    } else {
      root.removeAttribute("data-theme");
    }
  }

  function themeButton() {
    var button = document.getElementById("theme");
    var theme = remembered("theme") || "auto";
    function show() {
      button.textContent = "Colours: " + theme;
      setTheme(theme);
    }
    button.hidden = false;
    button.addEventListener("click", function () {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      remember("theme", theme);
      show();
    });
    show();
  }

  /* ---- examples ---- */

  var groups = [];

  function choose(name) {
    groups.forEach(function (group) {
      group.forEach(function (tab) {
        var on = tab.name === name;
        tab.button.setAttribute("aria-selected", on ? "true" : "false");
        tab.button.tabIndex = on ? 0 : -1;
        tab.panel.hidden = !on;
      });
    });
  }

  /* The chosen button stays where it is on the screen. */
  function pick(button, name) {
    var before = button.getBoundingClientRect().top;
    choose(name);
    remember("language", name);
    window.scrollBy(0, button.getBoundingClientRect().top - before);
  }

  function arrows(group, event) {
    var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    var at = group.findIndex(function (tab) {
      return tab.button === event.target;
    });
    if (!step || at < 0) {
      return;
    }
    event.preventDefault();
    var tab = group[(at + step + group.length) % group.length];
    pick(tab.button, tab.name);
    tab.button.focus();
  }

  function tabs(box, number) {
    var list = make("div", { role: "tablist", "aria-label": "Language" });
    var group = [];
    list.className = "tabs";
    box.querySelectorAll(".lang").forEach(function (panel, i) {
      var name = panel.dataset.name;
      var id = "example-" + number + "-" + i;
      var button = make("button", {
        type: "button", role: "tab", id: id + "-tab", "aria-controls": id
      }, name);
      panel.id = id;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", id + "-tab");
      button.addEventListener("click", function () {
        pick(button, name);
      });
      list.appendChild(button);
      group.push({ name: name, button: button, panel: panel });
    });
    list.addEventListener("keydown", function (event) {
      arrows(group, event);
    });
    box.insertBefore(list, box.firstChild);
    box.classList.add("tabbed");
    groups.push(group);
  }

  /* Of a session only what is typed is of use. */
  function textOf(block) {
    var pre = block.querySelector("pre");
    if (block.dataset.lang !== "console") {
      return pre.textContent + "\n";
    }
    return Array.prototype.map.call(pre.querySelectorAll(".i"), function (e) {
      return e.textContent + "\n";
    }).join("");
  }

  /* Pages opened as files may not use the clipboard; a selection may. */
  function copyText(text) {
    var area = make("textarea", { "aria-hidden": "true" });
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.appendChild(area);
    area.select();
    var done = document.execCommand("copy");
    area.remove();
    return done;
  }

  function copyButton(block) {
    var button = make("button", { type: "button" }, "Copy");
    button.className = "copy";
    button.addEventListener("click", function () {
      var done = copyText(textOf(block));
      button.focus();
      button.textContent = done ? "Copied" : "Not allowed";
      window.setTimeout(function () {
        button.textContent = "Copy";
      }, 1500);
    });
    block.appendChild(button);
  }

  /* What scrolls must be reachable without a mouse. */
  function reachable() {
    document.querySelectorAll("pre").forEach(function (pre) {
      if (pre.scrollWidth > pre.clientWidth) {
        pre.tabIndex = 0;
        pre.setAttribute("role", "region");
        pre.setAttribute("aria-label", "Code");
      }
    });
  }

  /* ---- where we are ---- */

  function follow() {
    var links = {};
    var now = null;
    document.querySelectorAll("nav .toc a").forEach(function (a) {
      links[a.hash.slice(1)] = a;
    });
    var observer = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        var link = links[entry.target.id];
        if (!entry.isIntersecting || !link) {
          return;
        }
        if (now) {
          now.classList.remove("now");
        }
        now = link;
        now.classList.add("now");
      });
    }, { rootMargin: "-10% 0px -75% 0px" });
    Object.keys(links).forEach(function (id) {
      var target = document.getElementById(id);
      if (target) {
        observer.observe(target);
      }
    });
  }

  /* ---- search ---- */

  var MOST = 12;

  /* How well an entry fits a word: exact name, its beginning, a part of it,
   * a part of the text; 0 when not at all. */
  function score(entry, word) {
    var name = entry[0].toLowerCase();
    var last = name.slice(name.indexOf(".") + 1);
    if (name === word || last === word) {
      return 100;
    }
    if (name.indexOf(word) === 0 || last.indexOf(word) === 0) {
      return 60;
    }
    if (name.indexOf(word) > 0) {
      return 30;
    }
    return entry[3].toLowerCase().indexOf(word) >= 0 ? 5 : 0;
  }

  var weights = { page: 9, interface: 8, call: 7, type: 6, error: 5,
    feature: 4, member: 1, "case": 1 };

  function find(query) {
    var words = query.toLowerCase().split(/\s+/).filter(Boolean);
    var hits = [];
    if (!words.length) {
      return hits;
    }
    window.searchIndex.forEach(function (entry, i) {
      var total = weights[entry[1]] || 0;
      var all = words.every(function (word) {
        var s = score(entry, word);
        total += s;
        return s > 0;
      });
      if (all) {
        hits.push({ entry: entry, total: total, order: i });
      }
    });
    hits.sort(function (a, b) {
      return b.total - a.total || a.order - b.order;
    });
    return hits.slice(0, MOST).map(function (hit) {
      return hit.entry;
    });
  }

  function search() {
    var form = document.querySelector("header form");
    var input = document.getElementById("search");
    var list = document.getElementById("found");
    var selected = -1;

    function close() {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      selected = -1;
    }

    function select(i) {
      var items = list.querySelectorAll("[role=option]");
      if (!items.length) {
        return;
      }
      if (items[selected]) {
        items[selected].setAttribute("aria-selected", "false");
      }
      selected = (i + items.length) % items.length;
      items[selected].setAttribute("aria-selected", "true");
      items[selected].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[selected].id);
    }

    function go(url) {
      close();
      input.blur();
      window.location.href = url;
    }

    function show() {
      var hits = find(input.value);
      list.textContent = "";
      selected = -1;
      hits.forEach(function (entry, i) {
        var item = make("li", {
          role: "option", id: "found-" + i, "aria-selected": "false"
        });
        item.appendChild(make("b", {}, entry[0]));
        item.appendChild(make("i", {}, entry[1]));
        item.appendChild(make("span", {}, entry[3]));
        item.dataset.url = entry[2];
        item.addEventListener("mousedown", function (event) {
          event.preventDefault();
          go(entry[2]);
        });
        list.appendChild(item);
      });
      if (!hits.length) {
        var none = make("li", { role: "option", "aria-disabled": "true" },
          "Nothing has this name.");
        none.className = "none";
        list.appendChild(none);
      }
      list.hidden = !input.value.trim();
      input.setAttribute("aria-expanded", list.hidden ? "false" : "true");
      if (hits.length) {
        select(0);
      }
    }

    var keys = {
      ArrowDown: function () { select(selected + 1); },
      ArrowUp: function () { select(selected - 1); },
      Escape: function () { input.value = ""; close(); },
      Enter: function () {
        var item = list.querySelectorAll("[role=option]")[selected];
        if (item && item.dataset.url) {
          go(item.dataset.url);
        }
      }
    };

    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
    });
    input.addEventListener("input", show);
    input.addEventListener("focus", show);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", function (event) {
      if (keys[event.key]) {
        event.preventDefault();
        keys[event.key]();
      }
    });
    document.addEventListener("keydown", function (event) {
      var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        input.focus();
      }
    });
  }

  /* ---- */

  setTheme(remembered("theme"));
  document.addEventListener("DOMContentLoaded", function () {
    themeButton();
    document.querySelectorAll(".langs").forEach(tabs);
    choose(remembered("language") || "JSON");
    document.querySelectorAll(".code").forEach(copyButton);
    search();
    follow();
    reachable();
    /* Choosing a language changed the lengths above the place asked for. */
    var target = document.getElementById(
      decodeURIComponent(window.location.hash.slice(1)));
    if (target) {
      target.scrollIntoView();
    }
  });
}());
