# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Small line plots as SVG, made of nothing but the standard library.

A figure is a row of panels; a panel has lines over a logarithmic x axis, the
point 0 drawn at its left end.  The same figures give the same bytes.
"""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 300, 210  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 28, 34
COLOURS = ["#c03030", "#2060b0", "#208040", "#c08000", "#7040a0", "#008090",
           "#905030", "#606060", "#d060a0", "#80a000", "#4040e0", "#000000"]


class Axis:
    """Values to pixels."""

    def __init__(self, values, at, to, log):
        values = [v for v in values if v is not None]
        self.log, self.at, self.to = log, at, to
        above = [v for v in values if v > 0] or [1]
        if log:
            self.low = 10 ** math.floor(math.log10(min(above)))
            self.high = 10 ** math.ceil(math.log10(max(above)))
            self.zero = min(values or [1]) <= 0  # room for it on the left
            if self.high == self.low:
                self.high *= 10
        else:
            self.low, self.high, self.zero = 0, self.round_up(max(above)), False

    @staticmethod
    def round_up(v):
        """1, 2 or 5 times a power of ten."""
        power = 10 ** math.floor(math.log10(v))
        return next(m * power for m in (1, 2, 5, 10) if m * power >= v * 0.999)

    def pixel(self, v):
        if not self.log:
            share = v / self.high
        elif v <= 0:
            share = 0
        else:
            share = (math.log10(v / self.low) /
                     math.log10(self.high / self.low))
            if self.zero:
                share = 0.12 + 0.88 * share
        return self.at + share * (self.to - self.at)

    def ticks(self):
        if not self.log:
            return [self.high * i / 4 for i in range(5)]
        v, found = self.low, [0] if self.zero else []
        while v <= self.high * 1.001:
            found.append(v)
            v *= 10
        return found


def short(v):
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if v >= unit:
            return "%g%s" % (round(v / unit, 2), name)
    return "%g" % round(v, 2)


def text(x, y, words, anchor="middle", size=10, colour="#333"):
    return ('<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s" '
            'fill="%s">%s</text>' % (x, y, size, anchor, colour,
                                     escape(words)))


def line(x1, y1, x2, y2, colour="#ddd"):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>' % (
        x1, y1, x2, y2, colour)


def grid(x, y, left, top):
    out = []
    for v in x.ticks():
        out.append(line(x.pixel(v), y.at, x.pixel(v), y.to))
        out.append(text(x.pixel(v), y.at + 14, short(v)))
    for v in y.ticks():
        out.append(line(x.at, y.pixel(v), x.to, y.pixel(v)))
        out.append(text(left + LEFT - 5, y.pixel(v) + 3, short(v), "end"))
    return out


def panel(left, top, title, below, lines, colours, log_y):
    """lines: {name: [(x, y)]}"""
    points = [p for v in lines.values() for p in v]
    x = Axis([p[0] for p in points], left + LEFT, left + WIDTH - RIGHT, True)
    y = Axis([p[1] for p in points], top + HEIGHT - BOTTOM, top + TOP, log_y)
    out = grid(x, y, left, top)
    out.append(text(left + LEFT, top + 16, title, "start", 11, "#000"))
    out.append(text(left + WIDTH - RIGHT, top + HEIGHT - 6, below, "end"))
    for name, v in lines.items():
        at = ["%.1f,%.1f" % (x.pixel(a), y.pixel(b)) for a, b in v]
        out.append('<polyline fill="none" stroke="%s" stroke-width="1.5" '
                   'points="%s"/>' % (colours[name], " ".join(at)))
        out += ['<circle cx="%s" cy="%s" r="2" fill="%s"/>' % (
            tuple(p.split(",")) + (colours[name],)) for p in at]
    return out


def figure(panels, columns=2, log_y=False):
    """panels: [(title, what x is, lines)] -> SVG."""
    names = []
    for _, _, lines in panels:
        names += [n for n in lines if n not in names]
    colours = dict(zip(names, COLOURS))
    rows = -(-len(panels) // columns)
    width, top = columns * WIDTH, rows * HEIGHT
    out = []
    for i, (title, below, lines) in enumerate(panels):
        out += panel(i % columns * WIDTH, i // columns * HEIGHT, title, below,
                     lines, colours, log_y)
    for i, name in enumerate(names):
        x, y = 16 + i % 3 * (width - 20) / 3, top + 14 + i // 3 * 16
        out.append(line(x, y, x + 18, y, colours[name]))
        out.append(text(x + 24, y + 4, name, "start"))
    height = top + 16 * (-(-len(names) // 3)) + 10
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
            'viewBox="0 0 %d %d" font-family="sans-serif">\n'
            '<rect width="%d" height="%d" fill="#fff"/>\n%s\n</svg>\n' % (
                width, height, width, height, width, height, "\n".join(out)))
