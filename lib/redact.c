/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Secrets out of text.
 *
 * The scanner looks for words on the key list and then at what follows: a
 * closing quote, a separator, a value.  All of that is decided from the input
 * around the word, so text that is JSON only here and there, cut off, or
 * nested, is treated like the real thing, and a cut of the output cannot
 * change a decision.
 */
#include "redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "redact_scan.h"

#define MASK	      "***"
#define ELLIPSIS      "\xe2\x80\xa6"
#define NAME_MAX_AWAY 16384 /* {"v": ..., "k": "password"} */
#define PAIR_MAX      200 /* longest first element of a pair */

const char *const redact_keys[] = {"password", "passwd", "passphrase",
    "passcode", "pwd", "secret", "token", "authkey", "apikey", "accesskey",
    "privatekey", "sharedkey", "encryptionkey", "keytab", "credential",
    "authorization", "cookie", "sessionid", "sessionref", NULL};

/* These only when nothing but digits and separators is around them. */
static const char *const whole_words[] = {
    "pass", "pem", "pems", "blob", "blobs", "psk", NULL};

/* What a byte may be to skip_plain: 0 is one of a word like others.  So is a
 * letter that no key begins with; which those are, further words may change. */
enum { C_WORD, C_BREAK, C_FIRST, C_SPECIAL };
static unsigned char classes[256] = {
    [0 ... '!'] = C_BREAK,
    ['"'] = C_SPECIAL,
    ['#' ... '&'] = C_BREAK,
    ['\''] = C_SPECIAL,
    ['(' ... ','] = C_BREAK,
    ['-'] = C_SPECIAL,
    ['/'] = C_SPECIAL,
    [':' ... '@'] = C_BREAK,
    ['A' ... 'C'] = C_FIRST,
    ['E'] = C_FIRST,
    ['K'] = C_FIRST,
    ['P'] = C_FIRST,
    ['S' ... 'T'] = C_FIRST,
    ['['] = C_BREAK,
    ['\\'] = C_SPECIAL,
    [']' ... '^'] = C_BREAK,
    ['`'] = C_BREAK,
    ['a' ... 'c'] = C_FIRST,
    ['e'] = C_FIRST,
    ['k'] = C_FIRST,
    ['p'] = C_FIRST,
    ['s' ... 't'] = C_FIRST,
    ['{' ... 0x7f] = C_BREAK,
};

#define BIT(letter) (1u << ((letter) - 'a'))

/* Further key words, lower case; the first empty one is the end. */
static char extra[REDACT_WORDS + 1][REDACT_WORD + 1];
static uint32_t extra_seconds[26]; /* as below */

/* The second letters that go with a first one in both lists. */
static const uint32_t seconds[26] = {
    ['a' - 'a'] = BIT('u') | BIT('p') | BIT('c'),
    ['b' - 'a'] = BIT('l'),
    ['c' - 'a'] = BIT('r') | BIT('o'),
    ['e' - 'a'] = BIT('n'),
    ['k' - 'a'] = BIT('e'),
    ['p' - 'a'] = BIT('a') | BIT('w') | BIT('r') | BIT('e') | BIT('s'),
    ['s' - 'a'] = BIT('e') | BIT('h'),
    ['t' - 'a'] = BIT('o'),
};

/* ---- writing ---- */

/* Append to the output as far as there is room. */
static void
put(struct scan *s, const char *p, size_t n)
{
	size_t room = s->max - s->o;

	if (n > room) {
		s->full = true;
		n = room;
	}
	if (n != 0)
		memcpy(s->out + s->o, p, n);
	s->o += n;
}

/* Write what is pending, up to i. */
static void
flush(struct scan *s, size_t i)
{
	if (i > s->from)
		put(s, s->p + s->from, i - s->from);
	s->from = i;
}

/* Replace [begin, end) and go on behind it. */
static void
mask(struct scan *s, size_t begin, size_t end)
{
	flush(s, begin);
	put(s, MASK, sizeof MASK - 1);
	if (end - begin > MASK_MAX)
		s->full = true;
	s->from = s->i = s->word = end;
	s->hot = false;
	s->eaten = true;
}

/* End a cut output with an ellipsis, in front of a whole character. */
static size_t
finish(struct scan *s)
{
	const size_t dots = sizeof ELLIPSIS - 1;
	size_t n = s->o;

	if (!s->full)
		return n;
	if (s->max < dots)
		return 0;
	if (n > s->max - dots) {
		n = s->max - dots;
		for (int i = 0; i < 3 && n > 0 &&
		     ((unsigned char)s->out[n] & 0xc0) == 0x80;
		     i++)
			n--;
	}
	memcpy(s->out + n, ELLIPSIS, dots);
	return n + dots;
}

/* ---- keys ---- */

/* End of key at i, or 0.  Case, '-', '_' and a blank before "key" do not
 * count. */
static size_t
match_key(const struct scan *s, size_t i, const char *key)
{
	const char *k = key;
	struct tok t;

	for (; *k; i += t.len) {
		t = scan_lex(s, i);
		if (t.len == 0)
			return 0;
		if (scan_lower(t.c) == (unsigned char)*k)
			k++;
		else if (k == key ||
		    !(t.c == '-' || t.c == '_' ||
			(scan_is_blank(t.c) && strcmp(k, "key") == 0)))
			return 0;
	}
	return i;
}

/* No letter at i, and none before begin. */
static bool
stands_alone(const struct scan *s, size_t begin, size_t end)
{
	return !(begin > 0 && scan_is_letter((unsigned char)s->p[begin - 1])) &&
	    !scan_is_letter(scan_lex(s, end).c);
}

/* Cheap test whether a key can begin with the letter at i. */
static inline bool
may_begin(const struct scan *s, size_t i)
{
	unsigned first = ((unsigned char)s->p[i] | 0x20) - 'a';
	uint32_t set = seconds[first] | extra_seconds[first];
	unsigned char d;

	if (set == 0 || i + 1 >= s->n)
		return false;
	d = (unsigned char)s->p[i + 1];
	if (scan_is_letter(d))
		return (set & BIT(d | 0x20)) != 0;
	return d == '-' || d == '_' || d == '\\';
}

/* End of a key that begins at i, or 0. */
static size_t
key_at(const struct scan *s, size_t i)
{
	char first = (char)scan_lower(scan_lex(s, i).c);
	size_t end;

	for (const char *const *k = redact_keys; *k != NULL; k++) {
		end = **k == first ? match_key(s, i, *k) : 0;
		if (end != 0)
			return end;
	}
	for (size_t k = 0; extra[k][0] != '\0'; k++) {
		end = extra[k][0] == first ? match_key(s, i, extra[k]) : 0;
		if (end != 0)
			return end;
	}
	for (const char *const *k = whole_words; *k != NULL; k++) {
		end = **k == first ? match_key(s, i, *k) : 0;
		if (end != 0 && stands_alone(s, i, end))
			return end;
	}
	return 0;
}

/* One further word without what does not count; its length, 0: it is none. */
static size_t
clean_word(char to[REDACT_WORD + 1], struct str word)
{
	size_t n = 0;

	for (size_t i = 0; i < word.n; i++) {
		unsigned char c = scan_lower((unsigned char)word.p[i]);

		if (c == '-' || c == '_')
			continue;
		if (n == REDACT_WORD ||
		    !(scan_is_letter(c) || (n > 1 && c >= '0' && c <= '9')))
			return 0;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return n < 3 ? 0 : n;
}

/* Sort out the letters that no key begins with. */
static void
learn_letters(void)
{
	for (int i = 0; i < 26; i++)
		classes['a' + i] = classes['A' + i] =
		    seconds[i] | extra_seconds[i] ? C_FIRST : C_WORD;
}

/* Further words. */
bool
redact_set_keys(struct str words)
{
	char v[REDACT_WORDS + 1][REDACT_WORD + 1] = {{0}};
	uint32_t set[26] = {0};
	size_t n = 0, i = 0, from;

	while (i < words.n) {
		from = i;
		while (i < words.n && !scan_is_blank((unsigned char)words.p[i]))
			i++;
		if (i > from) {
			if (n == REDACT_WORDS ||
			    clean_word(v[n],
				(struct str){words.p + from, i - from}) == 0)
				return false;
			set[v[n][0] - 'a'] |= BIT(v[n][1]);
			n++;
		}
		i++;
	}
	memcpy(extra, v, sizeof extra);
	memcpy(extra_seconds, set, sizeof set);
	learn_letters();
	return true;
}

/* ---- values ---- */

/* Mask the value at i.  Quoted keys have `quote` after them; a masked value of
 * any type gets the same around it. */
static void
mask_value(
    struct scan *s, size_t i, enum form f, struct tok quote, const char *raw)
{
	struct tok open = scan_lex(s, i), close;
	size_t end;

	if (open.len == 0)
		return;
	if (scan_is_quote(open) &&
	    (f == F_JSON || open.c == '\'' || open.depth >= s->level)) {
		end = scan_string_end(s, i + open.len, open, f, &close);
		mask(s, i + open.len, end + close.len);
		s->eaten = close.len == 0;
		if (close.len != 0) /* without what the text ended in */
			put(s, s->p + i, open.len);
		return;
	}
	if (f != F_JSON) {
		end = scan_bare_end(s, i, f);
		if (end != i)
			mask(s, i, end);
		return;
	}
	end = open.c == '{' || open.c == '[' ? scan_struct_end(s, i, quote)
					     : scan_bare_end(s, i, f);
	flush(s, i);
	put(s, raw, quote.len);
	mask(s, i, end);
	put(s, raw, quote.len);
}

/* i is behind a separator's first character: behind all of it ("=>", ":="),
 * and the blanks. */
static size_t
skip_separator(const struct scan *s, size_t i, enum form f)
{
	struct tok t = scan_lex(s, i);

	if (t.c == '=' || (t.c == '>' && i > 0 && s->p[i - 1] == '='))
		i += t.len;
	if (f == F_JSON)
		return scan_blanks(s, i);
	while (t = scan_lex(s, i), t.len != 0 && (t.c == ' ' || t.c == '\t'))
		i += t.len;
	return i;
}

/* Mask what is inside an element, and perhaps its attributes; name is behind
 * the '<' of its tag. */
static bool
mask_element(struct scan *s, size_t name, bool attributes)
{
	size_t end = name, first;
	struct tag g;

	while (end < s->n &&
	    (scan_is_word((unsigned char)s->p[end]) || s->p[end] == ':'))
		end++;
	if (!scan_tag_end(s, end, &g))
		return false;
	first = scan_blanks(s, end);
	if (attributes && first > end && first < g.close)
		mask(s, first, g.close);
	s->i = s->word = g.end;
	if (g.end >= end + LOOK_MAX)
		s->full = true;
	else if (!g.empty)
		mask(s, g.end,
		    scan_element_end(
			s, g.end, (struct str){s->p + name, end - name}));
	return true;
}

/* The '<' of the tag whose name reaches up to i: the byte behind it, or 0. */
static size_t
tag_name(const struct scan *s, size_t i)
{
	while (i > 0 &&
	    (scan_is_word((unsigned char)s->p[i - 1]) || s->p[i - 1] == ':') &&
	    !(i >= 6 && scan_starts(s, i - 6, "\\u003c")))
		i--;
	return (i > 0 && s->p[i - 1] == '<') ||
		(i >= 6 && scan_starts(s, i - 6, "\\u003c"))
	    ? i
	    : 0;
}

/* <name>key</name> <value>...: i is at the '<' of the closing tag. */
static bool
mask_next_element(struct scan *s, size_t i)
{
	struct tok lt = scan_lex(s, i);
	struct tag g;

	if (scan_lex(s, i + lt.len).c != '/')
		return false;
	if (!scan_tag_end(s, i + lt.len, &g))
		return false;
	i = scan_blanks(s, g.end);
	lt = scan_lex(s, i);
	if (lt.c != '<' || i + lt.len >= s->n ||
	    !scan_is_letter((unsigned char)s->p[i + lt.len]))
		return false;
	return mask_element(s, i + lt.len, false);
}

/* A key word without a quote behind it ended at i: mask its value, if it has
 * one. */
static void
after_word(struct scan *s, size_t i)
{
	const struct tok none = {0, false, 0, 0};
	unsigned char prev = s->word ? (unsigned char)s->p[s->word - 1] : 0;
	size_t sep, tag = tag_name(s, i);
	struct tok t = scan_lex(s, i);

	if (t.c == '[' || t.c == ']' || t.c == ')') /* key[0], [key] */
		while (
		    t.len != 0 && (scan_is_word(t.c) || strchr("[])", t.c))) {
			i += t.len;
			t = scan_lex(s, i);
		}
	sep = scan_blanks(s, i);
	t = scan_lex(s, sep);
	if (tag != 0 && tag <= s->i && mask_element(s, tag, true))
		return;
	if (t.c == '<' && mask_next_element(s, sep))
		return;
	if (t.c == ':' && scan_lex(s, sep + t.len).c == '/')
		return; /* a URI's scheme, or a path */
	if (t.c == ':' || t.c == '=') {
		enum form f = t.c == ':' ? F_LINE : F_ASSIGN;
		mask_value(s, skip_separator(s, sep + t.len, f), f, none, "");
	} else if (prev == '(' && (sep != i || t.c == '(')) {
		mask_value(s, sep, F_PAREN, none, "");
	} else if (sep != i && (s->p[s->word] == '-' || scan_is_quote(t))) {
		mask_value(s, sep, F_ASSIGN, none, "");
	}
}

/* {"key": "password", "value": ...} and <x name="password" value=...>: i is
 * behind the quote. */
static void
after_name(struct scan *s, size_t i, struct tok quote, const char *raw)
{
	static const char *const names[] = {"value", "val", "v"};
	enum form f = F_ASSIGN;
	size_t end, name = scan_blanks(s, i);
	struct tok t = scan_lex(s, name);

	if (t.c == '>') {
		end = name + t.len;
		mask(s, end, scan_element_end(s, end, STR("")));
		return;
	}
	if (t.c == ',')
		name = scan_blanks(s, name + t.len);
	t = scan_lex(s, name);
	if (scan_is_quote(t)) {
		name += t.len;
		f = F_JSON;
	}
	for (size_t k = 0; k < 3; k++) {
		end = match_key(s, name, names[k]);
		t = scan_lex(s, end);
		if (end == 0 || (f == F_JSON && !scan_is_quote(t)))
			continue;
		end = scan_blanks(s, end + (f == F_JSON ? t.len : 0));
		t = scan_lex(s, end);
		if (t.c == ':' || t.c == '=') {
			end = skip_separator(s, end + t.len, f);
			mask_value(s, end, f, quote, raw);
			return;
		}
	}
}

/* The string behind the quote at i has a key word in it. */
static bool
names_key(const struct scan *s, size_t i)
{
	struct tok t = scan_lex(s, i);
	size_t begin = i;

	if (!scan_is_quote(t))
		return false;
	for (i += t.len; i - begin < PAIR_MAX; i += t.len) {
		t = scan_lex(s, i);
		if (t.len == 0 || scan_is_quote(t))
			return false;
		if (scan_is_letter(t.c) && key_at(s, i) != 0)
			return true;
	}
	return false;
}

/* `, "key": "password"` at i. */
static bool
names_secret(const struct scan *s, size_t i)
{
	static const char *const names[] = {"key", "name", "k"};
	size_t name = scan_blanks(s, i), end;
	struct tok t = scan_lex(s, name);

	if (t.c != ',')
		return false;
	name = scan_blanks(s, name + t.len);
	t = scan_lex(s, name);
	for (size_t k = 0; k < 3 && scan_is_quote(t); k++) {
		end = match_key(s, name + t.len, names[k]);
		if (end == 0 || !scan_is_quote(scan_lex(s, end)))
			continue;
		end = scan_blanks(s, end + scan_lex(s, end).len);
		if (scan_lex(s, end).c != ':')
			return false;
		return names_key(s, scan_blanks(s, end + 1));
	}
	return false;
}

/* {"value": ..., "key": "password"}: i is behind the quote that ends "value".
 */
static void
before_name(struct scan *s, size_t i, struct tok quote, const char *raw)
{
	size_t value = scan_blanks(s, i), end;
	struct tok t = scan_lex(s, value), close;
	struct scan near = *s;

	if (t.c != ':')
		return;
	value = scan_blanks(s, value + t.len);
	if (near.n - value > NAME_MAX_AWAY)
		near.n = value + NAME_MAX_AWAY;
	t = scan_lex(&near, value);
	if (scan_is_quote(t)) {
		end = scan_string_end(&near, value + t.len, t, F_JSON, &close);
		end += close.len;
	} else {
		end = scan_literal_end(&near, value);
	}
	/* when the value is longer, who knows what follows */
	if ((end == near.n && near.n != s->n) || names_secret(s, end))
		mask_value(s, value, F_JSON, quote, raw);
}

/* The quote at i ended a string with a key word in it. */
static void
after_quote(struct scan *s, size_t i, struct tok quote)
{
	const char *raw = s->p + i;
	size_t begin = s->str, n = i - begin, sep;
	unsigned char prev;
	struct tok t;

	i += quote.len;
	sep = scan_blanks(s, i);
	t = scan_lex(s, sep);
	if (t.c == ']' || t.c == ')') /* x["password"] = */
		t = scan_lex(s, sep = scan_blanks(s, sep + t.len));
	if (t.c == ':' || t.c == '=') {
		sep = skip_separator(s, sep + t.len, F_JSON);
		mask_value(s, sep, F_JSON, quote, raw);
		return;
	}
	if (n > PAIR_MAX || memchr(s->p + begin, ' ', n) != NULL)
		return;
	prev = scan_before(s, s->open);
	if (prev == ':' || prev == '=')
		after_name(s, i, quote, raw);
	else if (t.c == ',' && prev != 0 && strchr("[,(", prev) != NULL)
		mask_value(s, scan_blanks(s, sep + t.len), F_JSON, quote, raw);
	else if (prev == '(' && sep != i)
		mask_value(s, sep, F_PAREN, quote, raw);
}

/* ---- forms without a key ---- */

/* A colon in [i, end) with something else than a port behind it. */
static bool
odd_port(const struct scan *s, size_t i, size_t end)
{
	const char *colon = memchr(s->p + i, ':', end - i);

	if (colon == NULL || s->p[i] == '[')
		return false;
	for (colon++; colon < s->p + end; colon++)
		if (*colon < '0' || *colon > '9')
			return true;
	return false;
}

/* "//" at i: mask what comes before an '@' in the authority. */
static void
after_slashes(struct scan *s, size_t i, bool scheme)
{
	size_t last_at, end = scan_authority(s, i, "/?#<>'", &last_at);

	if (last_at == 0 && odd_port(s, i, end)) {
		end = scan_authority(s, i, "<>", &last_at);
		if (last_at == 0 && end == s->n)
			last_at = end; /* the '@' may be cut off */
	}
	if (last_at != 0 && last_at > i &&
	    (scheme || memchr(s->p + i, ':', last_at - i) != NULL))
		mask(s, i, last_at);
	if (last_at >= i + LOOK_MAX)
		s->full = true;
}

/* A PEM block at i, its end or the end of the string. */
static void
mask_pem(struct scan *s, size_t i)
{
	size_t end = i;
	struct tok t;

	while (t = scan_lex(s, end),
	    t.len != 0 && !scan_ends_outer(s, end, t) &&
		!scan_starts(s, end, "-----END") && end - i <= MASK_MAX)
		end += t.len;
	if (scan_starts(s, end, "-----END")) {
		end += sizeof "-----END" - 1;
		while (end < s->n && s->p[end] != '-' && s->p[end] != '"' &&
		    s->p[end] != '\n')
			end++;
		while (end < s->n && s->p[end] == '-')
			end++;
	}
	mask(s, i, end);
}

/* ---- the scan ---- */

/* The name that stands for the value where the key has a name of its own. */
static bool
is_value_name(struct str s)
{
	return str_eq(s, STR("value")) || str_eq(s, STR("val")) ||
	    str_eq(s, STR("v"));
}

/* A quote: strings open and close, keys end. */
static void
on_quote(struct scan *s, struct tok t)
{
	size_t at = s->i;
	bool hot = s->hot, eaten = s->eaten;

	s->hot = s->eaten = false;
	s->i = s->word = at + t.len;
	if (t.c == '"')
		s->level = t.depth < s->level ? t.depth : t.depth + 1;
	if (hot || (eaten && scan_lex(s, scan_blanks(s, s->i)).c == ':'))
		after_quote(s, at, t);
	else if (at > s->str && at - s->str <= 5 && s->p[s->str] == 'v' &&
	    is_value_name((struct str){s->p + s->str, at - s->str}))
		before_name(s, at + t.len, t, s->p + at);
	s->open = at;
	s->str = at + t.len;
}

/* A key word ended at end. */
static void
on_key(struct scan *s, size_t end)
{
	end = scan_word(s, end);
	s->hot = true;
	s->i = end;
	if (!scan_is_quote(scan_lex(s, end)))
		after_word(s, end);
}

/* A slash: of a URI, when there are two. */
static void
on_slash(struct scan *s, struct tok t)
{
	bool scheme = s->i > 0 && s->p[s->i - 1] == ':';
	size_t next = s->i + t.len;
	struct tok u = scan_lex(s, next);

	s->i = s->word = next;
	if (u.c != '/')
		return;
	s->i = s->word = next + u.len;
	after_slashes(s, s->i, scheme);
}

/* A character that means something, or may. */
static void
on_special(struct scan *s)
{
	struct tok t = scan_lex(s, s->i);
	size_t end = scan_is_letter(t.c) ? key_at(s, s->i) : 0;

	if (end != 0)
		on_key(s, end);
	else if (scan_is_quote(t))
		on_quote(s, t);
	else if (t.c == '/')
		on_slash(s, t);
	else if (t.c == '-' && scan_starts(s, s->i, "-----BEGIN"))
		mask_pem(s, s->i);
	else
		s->i += t.len;
	if (!scan_is_word(t.c))
		s->word = s->i;
}

/* Skip what cannot begin anything, at most up to end. */
static void
skip_plain(struct scan *s, size_t end)
{
	const unsigned char *p = (const unsigned char *)s->p;
	size_t i = s->i, word = s->word;

	for (; i < end; i++) {
		while (end - i > 4 &&
		    (classes[p[i]] | classes[p[i + 1]] | classes[p[i + 2]] |
			classes[p[i + 3]]) == C_WORD)
			i += 4;
		while (classes[p[i]] == C_WORD && i + 1 < end)
			i++;
		if (classes[p[i]] == C_BREAK)
			word = i + 1;
		else if (classes[p[i]] == C_FIRST && may_begin(s, i))
			break;
		else if (classes[p[i]] == C_SPECIAL &&
		    (p[i] != '-' || (s->n - i > 1 && p[i + 1] == '-')))
			break;
	}
	s->i = i;
	s->word = word;
}

/* Copy without secrets. */
size_t
redact(char *out, size_t max, struct str in)
{
	struct scan s = {.p = in.p, .n = in.n, .out = out, .max = max};
	size_t room;

	while (s.i < s.n && !s.full && s.i - s.from <= s.max - s.o) {
		room = s.max - s.o - (s.i - s.from) + 1;
		skip_plain(&s, room < s.n - s.i ? s.i + room : s.n);
		if (s.i < s.n)
			on_special(&s);
	}
	flush(&s, s.i);
	return finish(&s);
}
