/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * HTTP/1.1 messages, strict and bounded.
 *
 *	START -> LINE -> FIELDS -> LENGTH -------------------------> END
 *	                        \-> SIZE -> DATA -> DATA_END -> SIZE
 *	                              \-> TRAILERS -----------------> END
 *
 * Each state has one function that takes what it can and names the next state.
 * A line is looked at only when it is whole, and its length is judged before
 * its contents, so the outcome does not depend on how the bytes were cut up.
 * Inside a line the CR at its end is a sentinel: no class of bytes contains it.
 */
#include "http1.h"

#include <string.h>
#include <strings.h>

#define MAX_METHOD     16
#define MAX_CHUNK_LINE 256 /* a chunk's size and extensions */
#define STEP	       ((enum http1_rc)(-1)) /* go on in the next state */

enum state { START, LINE, FIELDS, LENGTH, SIZE, DATA, DATA_END, TRAILERS, END };

enum { TOKEN = 1, TEXT = 2, VISIBLE = 4 };

/* What each byte may be part of: names, values, targets. */
static const uint8_t class[256] = {
    ['\t'] = TEXT,
    [' '] = TEXT,
    ['!'] = TOKEN | TEXT | VISIBLE,
    ['"'] = TEXT | VISIBLE,
    ['#' ... '\''] = TOKEN | TEXT | VISIBLE,
    ['(' ... ')'] = TEXT | VISIBLE,
    ['*' ... '+'] = TOKEN | TEXT | VISIBLE,
    [','] = TEXT | VISIBLE,
    ['-' ... '.'] = TOKEN | TEXT | VISIBLE,
    ['/'] = TEXT | VISIBLE,
    ['0' ... '9'] = TOKEN | TEXT | VISIBLE,
    [':' ... '@'] = TEXT | VISIBLE,
    ['A' ... 'Z'] = TOKEN | TEXT | VISIBLE,
    ['[' ... ']'] = TEXT | VISIBLE,
    ['^' ... 'z'] = TOKEN | TEXT | VISIBLE,
    ['{'] = TEXT | VISIBLE,
    ['|'] = TOKEN | TEXT | VISIBLE,
    ['}'] = TEXT | VISIBLE,
    ['~'] = TOKEN | TEXT | VISIBLE,
    [0x80 ... 0xff] = TEXT | VISIBLE,
};

enum fault {
	LINE_LONG,
	LINE_BAD,
	BARE_LF,
	METHOD_BAD,
	TARGET_BAD,
	VERSION_BAD,
	VERSION_OTHER,
	STATUS_BAD,
	HEAD_LONG,
	FIELDS_MANY,
	FIELD_FOLDED,
	FIELD_NAME,
	FIELD_VALUE,
	HOST_TWICE,
	LENGTH_BAD,
	LENGTH_TWICE,
	LENGTH_CHUNKED,
	LENGTH_NONE,
	CODING_OTHER,
	CODING_TWICE,
	CODING_OLD,
	BODY_LONG,
	CHUNK_LONG,
	CHUNK_SIZE,
	CHUNK_EXT,
	CHUNK_END,
	CHUNK_WASTE,
	TRAILER_BAD,
	TAB,
};

/* What is answered to each. */
static const struct {
	int status;
	const char *reason;
} faults[] = {
    [LINE_LONG] = {414, "the first line is too long"},
    [LINE_BAD] = {400, "the first line is malformed"},
    [BARE_LF] = {400, "a line does not end with CR LF"},
    [METHOD_BAD] = {400, "the method is malformed"},
    [TARGET_BAD] = {400, "the request target is malformed"},
    [VERSION_BAD] = {400, "the protocol version is malformed"},
    [VERSION_OTHER] = {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"},
    [STATUS_BAD] = {400, "the status is malformed"},
    [HEAD_LONG] = {431, "the header is too large"},
    [FIELDS_MANY] = {431, "the header has too many fields"},
    [FIELD_FOLDED] = {400, "a header field is folded"},
    [FIELD_NAME] = {400, "the name of a header field is malformed"},
    [FIELD_VALUE] = {400, "a header field contains a control character"},
    [HOST_TWICE] = {400, "there are two Host fields"},
    [LENGTH_BAD] = {400, "Content-Length is not a plain number"},
    [LENGTH_TWICE] = {400, "there are two Content-Length fields"},
    [LENGTH_CHUNKED] = {400, "Content-Length and Transfer-Encoding together"},
    [LENGTH_NONE] = {400, "the length of the reply is not given"},
    [CODING_OTHER] = {501, "the only known transfer encoding is chunked"},
    [CODING_TWICE] = {400, "there are two Transfer-Encoding fields"},
    [CODING_OLD] = {400, "HTTP/1.0 has no Transfer-Encoding"},
    [BODY_LONG] = {413, "the body is too large"},
    [CHUNK_LONG] = {400, "the size line of a chunk is too long"},
    [CHUNK_SIZE] = {400, "the size of a chunk is malformed"},
    [CHUNK_EXT] = {400, "a chunk extension is malformed"},
    [CHUNK_END] = {400, "a chunk does not end where its size says"},
    [CHUNK_WASTE] = {413, "chunk sizes and trailers outweigh the body"},
    [TRAILER_BAD] = {400, "a trailer speaks of what the head must say"},
    [TAB] = {400, "a tab where the length of the body is said"},
};

/* The reason phrases of RFC 9110 that we or the original may use. */
static const struct {
	int status;
	const char *phrase;
} phrases[] = {
    {100, "Continue"},
    {200, "OK"},
    {204, "No Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {417, "Expectation Failed"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

/* The message is lost; say why. */
static enum http1_rc
fail(struct http1 *h, enum fault f)
{
	h->state = END;
	h->status = faults[f].status;
	h->reason = faults[f].reason;
	return HTTP1_ERROR;
}

/* On to another state. */
static enum http1_rc
enter(struct http1 *h, enum state s)
{
	h->state = s;
	return STEP;
}

/* Same, without regard to case. */
static bool
str_eq_case(struct str a, const char *lit, size_t n)
{
	return a.n == n && strncasecmp(a.p, lit, n) == 0;
}

/* Is it this word, without regard to case. */
#define IS(s, lit) str_eq_case(s, lit, sizeof(lit) - 1)

/* How many bytes from p are of this class; stops at the CR of the line. */
static size_t
span(const char *p, uint8_t mask)
{
	size_t i = 0;

	while (class[(uint8_t)p[i]] & mask)
		i++;
	return i;
}

/* Without blanks at its ends. */
static struct str
trim(struct str s)
{
	while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Take the line at pos: STEP and its bytes without CRLF.  At most max bytes,
 * else it is the fault `lengthy`, said as soon as they have come. */
static enum http1_rc
take_line(struct http1 *h, const char *p, size_t n, size_t max,
    enum fault lengthy, struct str *line)
{
	const char *lf = NULL;
	bool cr;

	if (h->scan < n)
		lf = memchr(p + h->scan, '\n', n - h->scan);
	h->scan = lf == NULL ? n : (size_t)(lf - p);
	line->p = p + h->pos;
	line->n = h->scan - h->pos;
	cr = line->n > 0 && line->p[line->n - 1] == '\r';
	line->n -= cr;
	if (line->n > max)
		return fail(h, lengthy);
	if (lf == NULL)
		return HTTP1_MORE;
	if (!cr)
		return fail(h, BARE_LF);
	h->pos = ++h->scan;
	return STEP;
}

/* "HTTP/1.x" in 8 bytes. */
static enum http1_rc
take_version(struct http1 *h, const char *p)
{
	if (memcmp(p, "HTTP/", 5) != 0 || p[5] < '0' || p[5] > '9' ||
	    p[6] != '.' || p[7] < '0' || p[7] > '9')
		return fail(h, VERSION_BAD);
	if (p[5] != '1' || p[7] > '1')
		return fail(h, VERSION_OTHER);
	h->minor = p[7] - '0';
	h->close = h->minor == 0;
	return STEP;
}

/* METHOD SP target SP version. */
static enum http1_rc
take_request_line(struct http1 *h, struct str line)
{
	size_t m = span(line.p, TOKEN), t;

	if (m == 0 || m > MAX_METHOD)
		return fail(h, METHOD_BAD);
	if (line.p[m] != ' ')
		return fail(h, line.p[m] == '\r' ? LINE_BAD : METHOD_BAD);
	t = span(line.p + m + 1, VISIBLE);
	if (t == 0 || line.p[m + 1 + t] != ' ')
		return fail(h, TARGET_BAD);
	if (line.n - (m + 1 + t + 1) != 8)
		return fail(h, VERSION_BAD);
	h->method = (struct str){line.p, m};
	h->target = (struct str){line.p + m + 1, t};
	return take_version(h, line.p + line.n - 8);
}

/* version SP status [SP reason]. */
static enum http1_rc
take_status_line(struct http1 *h, struct str line)
{
	const char *p = line.p + 9;
	int i, status = 0;

	if (line.n < 12 || line.p[8] != ' ')
		return fail(h, LINE_BAD);
	for (i = 0; i < 3; i++) {
		if (p[i] < '0' || p[i] > '9')
			return fail(h, STATUS_BAD);
		status = status * 10 + (p[i] - '0');
	}
	if (status < 100 || status > 599 || (line.n > 12 && p[3] != ' ') ||
	    span(p + 3, TEXT) != line.n - 12)
		return fail(h, STATUS_BAD);
	h->status = status;
	return take_version(h, line.p);
}

/* A server forgives one empty line before a request (RFC 9112 2.2). */
static enum http1_rc
step_start(struct http1 *h, char *p, size_t n)
{
	if (n == 0 || (n == 1 && p[0] == '\r'))
		return HTTP1_MORE;
	if (h->side == HTTP1_REQUEST && p[0] == '\r' && p[1] == '\n')
		h->start = h->pos = h->scan = 2;
	return enter(h, LINE);
}

/* The first line. */
static enum http1_rc
step_line(struct http1 *h, char *p, size_t n)
{
	struct str line;
	enum http1_rc rc;

	rc = take_line(h, p, n, h->limits->max_line, LINE_LONG, &line);
	if (rc != STEP)
		return rc;
	h->fields = h->pos;
	if (h->side == HTTP1_REQUEST)
		rc = take_request_line(h, line);
	else
		rc = take_status_line(h, line);
	return rc == STEP ? enter(h, FIELDS) : rc;
}

/* Content-Length: digits only, once. */
static enum http1_rc
field_length(struct http1 *h, struct str v)
{
	size_t i;

	if (h->have_length)
		return fail(h, LENGTH_TWICE);
	h->have_length = true;
	for (i = 0; i < v.n && v.p[i] >= '0' && v.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(h->need, 10, &h->need) ||
		    __builtin_add_overflow(
			h->need, (uint64_t)(v.p[i] - '0'), &h->need))
			return fail(h, BODY_LONG);
	return v.n == 0 || i < v.n ? fail(h, LENGTH_BAD) : STEP;
}

/* Transfer-Encoding: chunked, once. */
static enum http1_rc
field_coding(struct http1 *h, struct str v)
{
	if (h->chunked)
		return fail(h, CODING_TWICE);
	if (h->minor == 0)
		return fail(h, CODING_OLD);
	if (!IS(v, "chunked"))
		return fail(h, CODING_OTHER);
	h->chunked = true;
	return STEP;
}

/* Connection: a list of words, of which only "close" matters. */
static enum http1_rc
field_connection(struct http1 *h, struct str v)
{
	const char *comma;
	struct str word;

	while (v.n > 0) {
		comma = memchr(v.p, ',', v.n);
		word.p = v.p;
		word.n = comma == NULL ? v.n : (size_t)(comma - v.p);
		v.p += word.n + (comma != NULL);
		v.n -= word.n + (comma != NULL);
		if (IS(trim(word), "close"))
			h->close = true;
	}
	return STEP;
}

/* Host: once, and of no interest. */
static enum http1_rc
field_host(struct http1 *h, struct str v)
{
	(void)v;
	if (h->have_host && h->side == HTTP1_REQUEST)
		return fail(h, HOST_TWICE);
	h->have_host = true;
	return STEP;
}

/* Expect: an HTTP/1.0 peer cannot mean it (RFC 9110 10.1.1). */
static enum http1_rc
field_expect(struct http1 *h, struct str v)
{
	if (h->minor > 0 && IS(v, "100-continue"))
		h->expect = true;
	return STEP;
}

/* The fields that change how the message is read. */
static const struct known {
	struct str name;
	bool frames; /* says where the message ends */
	enum http1_rc (*take)(struct http1 *h, struct str value);
} known[] = {
    {{"content-length", 14}, true, field_length},
    {{"connection", 10}, false, field_connection},
    {{"host", 4}, false, field_host},
    {{"transfer-encoding", 17}, true, field_coding},
    {{"expect", 6}, false, field_expect},
};

/* What it means, if it means something.  Where the end of a message hangs on it
 * a tab is refused: to some parsers it is a blank, to others part of the value. */
static enum http1_rc
take_known(struct http1 *h, struct str name, struct str v, bool trailer)
{
	const struct known *k = known;

	while (k < known + sizeof known / sizeof *known &&
	    !str_eq_case(name, k->name.p, k->name.n))
		k++;
	if (k == known + sizeof known / sizeof *known)
		return STEP;
	if (trailer)
		return fail(h, TRAILER_BAD);
	if (k->frames && memchr(v.p, '\t', v.n) != NULL)
		return fail(h, TAB);
	return k->take(h, trim(v));
}

/* name ":" blanks value blanks. */
static enum http1_rc
take_field(struct http1 *h, struct str line, bool trailer)
{
	size_t n = span(line.p, TOKEN);
	struct str v;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return fail(h, FIELD_FOLDED);
	if (n == 0 || line.p[n] != ':')
		return fail(h, FIELD_NAME);
	v = (struct str){line.p + n + 1, line.n - n - 1};
	if (span(v.p, TEXT) != v.n)
		return fail(h, FIELD_VALUE);
	if (++h->nfields > h->limits->max_fields)
		return fail(h, FIELDS_MANY);
	return take_known(h, (struct str){line.p, n}, v, trailer);
}

/* The head is whole: how does the body come? */
static enum http1_rc
end_head(struct http1 *h)
{
	bool bodiless = h->side == HTTP1_REPLY &&
	    (h->status < 200 || h->status == 204 || h->status == 304);

	if (h->have_length && h->chunked)
		return fail(h, LENGTH_CHUNKED);
	h->head = h->out = h->pos;
	if (bodiless)
		return enter(h, END);
	if (h->chunked)
		return enter(h, SIZE);
	if (h->side == HTTP1_REPLY && !h->have_length)
		return fail(h, LENGTH_NONE);
	if (h->need > h->limits->max_body)
		return fail(h, BODY_LONG);
	return enter(h, LENGTH);
}

/* Fields, up to the empty line. */
static enum http1_rc
step_fields(struct http1 *h, char *p, size_t n)
{
	size_t max = h->limits->max_head, taken;
	struct str line;
	enum http1_rc rc;

	do {
		taken = h->pos - h->start + 2;
		if (taken > max)
			return fail(h, HEAD_LONG);
		rc = take_line(h, p, n, max - taken, HEAD_LONG, &line);
		if (rc == STEP && line.n == 0)
			return end_head(h);
		if (rc == STEP)
			rc = take_field(h, line, false);
	} while (rc == STEP);
	return rc;
}

/* A body of known length. */
static enum http1_rc
step_length(struct http1 *h, char *p, size_t n)
{
	(void)p;
	if (n - h->head < h->need)
		return HTTP1_MORE;
	h->pos = h->out = h->head + (size_t)h->need;
	return enter(h, END);
}

/* Count bytes that carry chunks; more than the bytes carried is an attack. */
static enum http1_rc
count_framing(struct http1 *h, size_t n)
{
	h->framing += n;
	if (h->framing > h->limits->max_head + (h->out - h->head))
		return fail(h, CHUNK_WASTE);
	return STEP;
}

/* The value of a hexadecimal digit, or -1. */
static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The end of a chunk extension's value: a token or a quoted string. */
static const char *
skip_value(const char *p)
{
	size_t n = span(p, TOKEN);

	if (*p != '"')
		return n > 0 ? p + n : NULL;
	for (p++; *p != '"'; p++)
		if ((*p == '\\' && !(class[(uint8_t) * ++p] & TEXT)) ||
		    !(class[(uint8_t)*p] & TEXT))
			return NULL;
	return p + 1;
}

/* Nothing, ;name or ;name=value up to `end`: it means nothing to us, but parsers
 * that take it for different things cut differently.  Several of them are not
 * taken: there is one that miscounts then. */
static bool
extension(const char *p, const char *end)
{
	size_t n;

	if (*p == ';') {
		n = span(p + 1, TOKEN);
		p = n > 0 ? p + 1 + n : NULL;
		if (p != NULL && *p == '=')
			p = skip_value(p + 1);
	}
	return p == end;
}

/* Size of a chunk, and an extension. */
static enum http1_rc
step_size(struct http1 *h, char *p, size_t n)
{
	struct str line;
	uint64_t size = 0;
	enum http1_rc rc;
	size_t i;

	rc = take_line(h, p, n, MAX_CHUNK_LINE, CHUNK_LONG, &line);
	if (rc != STEP)
		return rc;
	for (i = 0; hex(line.p[i]) >= 0; i++) {
		if (size > UINT64_MAX >> 4)
			return fail(h, BODY_LONG);
		size = size << 4 | (uint64_t)hex(line.p[i]);
	}
	if (i == 0 || (i < line.n && line.p[i] != ';'))
		return fail(h, CHUNK_SIZE);
	if (!extension(line.p + i, line.p + line.n))
		return fail(h, CHUNK_EXT);
	if (size > h->limits->max_body - (h->out - h->head))
		return fail(h, BODY_LONG);
	h->need = size;
	rc = count_framing(h, line.n + 4);
	return rc != STEP ? rc : enter(h, size == 0 ? TRAILERS : DATA);
}

/* Bytes of a chunk, moved down to where the last one ended. */
static enum http1_rc
step_data(struct http1 *h, char *p, size_t n)
{
	size_t part = n - h->pos;

	if (part > h->need)
		part = (size_t)h->need;
	memmove(p + h->out, p + h->pos, part);
	h->out += part;
	h->pos += part;
	h->need -= part;
	return h->need > 0 ? HTTP1_MORE : enter(h, DATA_END);
}

/* The CRLF after a chunk. */
static enum http1_rc
step_data_end(struct http1 *h, char *p, size_t n)
{
	if (n - h->pos < 2)
		return HTTP1_MORE;
	if (p[h->pos] != '\r' || p[h->pos + 1] != '\n')
		return fail(h, CHUNK_END);
	h->pos += 2;
	h->scan = h->pos;
	return enter(h, SIZE);
}

/* Fields after the last chunk: checked, counted, ignored.  One that would have
 * meant something in the head is refused: others may believe it. */
static enum http1_rc
step_trailers(struct http1 *h, char *p, size_t n)
{
	struct str line;
	enum http1_rc rc;

	do {
		rc = take_line(h, p, n, h->limits->max_head, HEAD_LONG, &line);
		if (rc == STEP && line.n == 0)
			return enter(h, END);
		if (rc == STEP)
			rc = take_field(h, line, true);
		if (rc == STEP)
			rc = count_framing(h, line.n + 2);
	} while (rc == STEP);
	return rc;
}

/* All there; or nothing more to say. */
static enum http1_rc
step_end(struct http1 *h, char *p, size_t n)
{
	(void)n;
	if (h->reason != NULL)
		return HTTP1_ERROR;
	h->body = (struct str){p + h->head, h->out - h->head};
	h->used = h->pos;
	return HTTP1_DONE;
}

static enum http1_rc (*const steps[])(struct http1 *, char *, size_t) = {
    [START] = step_start,
    [LINE] = step_line,
    [FIELDS] = step_fields,
    [LENGTH] = step_length,
    [SIZE] = step_size,
    [DATA] = step_data,
    [DATA_END] = step_data_end,
    [TRAILERS] = step_trailers,
    [END] = step_end,
};

/* A parser at the first byte of a message. */
void
http1_init(
    struct http1 *h, enum http1_side side, const struct http1_limits *limits)
{
	memset(h, 0, sizeof *h);
	h->side = side;
	h->limits = limits;
	h->state = START;
}

/* Take what has come. */
enum http1_rc
http1_feed(struct http1 *h, char *p, size_t n)
{
	enum http1_rc rc;

	do
		rc = steps[h->state](h, p, n);
	while (rc == STEP);
	if (h->method.n > 0) {
		h->method.p = p + h->start;
		h->target.p = h->method.p + h->method.n + 1;
	}
	return rc;
}

/* Has the head come whole? */
bool
http1_head_done(const struct http1 *h)
{
	return h->head > 0;
}

/* Look a field up. */
bool
http1_field(
    const struct http1 *h, const char *p, const char *name, struct str *value)
{
	const char *q = p + h->fields, *end = p + h->head, *lf;
	size_t n = strlen(name);

	for (; q + 2 < end; q = lf + 1) {
		lf = memchr(q, '\n', (size_t)(end - q));
		if ((size_t)(lf - q) <= n || q[n] != ':' ||
		    strncasecmp(q, name, n) != 0)
			continue;
		q += n + 1;
		*value = trim((struct str){q, (size_t)(lf - 1 - q)});
		return true;
	}
	return false;
}

/* The words for a status. */
const char *
http1_phrase(int status)
{
	size_t i;

	for (i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

/* The head of a reply. */
void
http1_put_reply(
    struct buf *b, int status, const char *type, bool close, size_t body_len)
{
	buf_adds(b, "HTTP/1.1 ");
	buf_addi(b, status);
	buf_addc(b, ' ');
	buf_adds(b, http1_phrase(status));
	buf_adds(b, "\r\ncontent-length: ");
	buf_addi(b, (int64_t)body_len);
	if (type != NULL) {
		buf_adds(b, "\r\ncontent-type: ");
		buf_adds(b, type);
		buf_adds(b, "\r\nx-content-type-options: nosniff");
	}
	if (close)
		buf_adds(b, "\r\nconnection: close");
	buf_adds(b, "\r\n\r\n");
}

/* The head of a request. */
void
http1_put_request(
    struct buf *b, const char *method, struct str target, size_t body_len)
{
	buf_adds(b, method);
	buf_addc(b, ' ');
	buf_add(b, target.p, target.n);
	buf_adds(b, " HTTP/1.1\r\nconnection: keep-alive\r\ncontent-length: ");
	buf_addi(b, (int64_t)body_len);
	buf_adds(b, "\r\nhost: localhost\r\nuser-agent: xmsg\r\n\r\n");
}
