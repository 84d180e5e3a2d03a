/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The dashboard as a C array: embed PAGE STYLE SCRIPT..., at build time.
 *
 * The page has two places, "@style" and "@script", each at the end of a line.
 * The style and the scripts, one behind the other, are put there as they stand,
 * and the SHA-256 of each place goes into the policy that the broker sends
 * along: a browser runs these bytes and no others.  The same input gives the
 * same output, everywhere.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "str.h"

#define BLOCK	64
#define DIGEST	32
#define COLUMNS 12 /* bytes on a line of the array */

/* ---- SHA-256, FIPS 180-4 ---- */

static const uint32_t rounds[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
    0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
    0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
    0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
    0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

static uint32_t
turned(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* One block into the state. */
static void
take_block(uint32_t h[8], const unsigned char *p)
{
	uint32_t w[64], s[8], x, y;

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
		    (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		x = turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^
		    w[i - 15] >> 3;
		y = turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^
		    w[i - 2] >> 10;
		w[i] = w[i - 16] + x + w[i - 7] + y;
	}
	memcpy(s, h, sizeof s);
	for (int i = 0; i < 64; i++) {
		x = s[7] +
		    (turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25)) +
		    ((s[4] & s[5]) ^ (~s[4] & s[6])) + rounds[i] + w[i];
		y = (turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22)) +
		    ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
		memmove(s + 1, s, 7 * sizeof *s);
		s[4] += x;
		s[0] = x + y;
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

static void
sha256(unsigned char out[DIGEST], struct str text)
{
	uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	unsigned char last[2 * BLOCK] = {0};
	size_t whole = text.n / BLOCK * BLOCK, rest = text.n - whole;
	size_t pad = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;

	for (size_t i = 0; i < whole; i += BLOCK)
		take_block(h, (const unsigned char *)text.p + i);
	if (rest > 0)
		memcpy(last, text.p + whole, rest);
	last[rest] = 0x80;
	for (int i = 0; i < 8; i++)
		last[pad - 1 - (size_t)i] =
		    (unsigned char)((uint64_t)text.n * 8 >> 8 * i);
	for (size_t i = 0; i < pad; i += BLOCK)
		take_block(h, last + i);
	for (int i = 0; i < DIGEST; i++)
		out[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

/* 'sha256-...' as a policy has it. */
static void
put_source(struct buf *b, struct str text)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char d[DIGEST + 1] = {0};

	sha256(d, text);
	buf_adds(b, "'sha256-");
	for (int i = 0; i < DIGEST; i += 3) {
		uint32_t x = (uint32_t)d[i] << 16 | (uint32_t)d[i + 1] << 8 |
		    (i + 2 < DIGEST ? d[i + 2] : 0);

		for (int k = 18; k >= 0; k -= 6)
			buf_addc(b,
			    i + 3 > DIGEST && k == 0 ? '=' : set[x >> k & 63]);
	}
	buf_addc(b, '\'');
}

/* ---- files ---- */

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "embed: %s: %s\n", what, why);
	_exit(1); /* with what is allocated */
}

static void
add_file(struct buf *b, const char *path)
{
	FILE *f = fopen(path, "r");
	char *to;

	if (f == NULL)
		fail(path, strerror(errno));
	while ((to = buf_reserve(b, BUFSIZ)) != NULL) {
		size_t n = fread(to, 1, BUFSIZ, f);

		if (n == 0)
			break;
		b->n += n;
	}
	if (ferror(f))
		fail(path, strerror(errno));
	fclose(f);
}

/* n files, one behind the other. */
static struct buf
slurp(char **paths, int n)
{
	struct buf b = BUF_INIT;

	for (int i = 0; i < n; i++)
		add_file(&b, paths[i]);
	if (!buf_ok(&b))
		fail(paths[0], "out of memory");
	return b;
}

/* Put a text into its place on the page. */
static void
fill(struct buf *page, const char *place, const struct buf *text)
{
	const char *at = memmem(page->p, page->n, place, strlen(place));
	struct buf b = BUF_INIT;
	size_t before;

	if (at == NULL)
		fail(place, "the page has no such line");
	before = (size_t)(at - page->p);
	buf_add(&b, page->p, before);
	buf_add(&b, text->p, text->n);
	at += strlen(place);
	buf_add(&b, at, page->n - before - strlen(place));
	if (!buf_ok(&b))
		fail(place, "out of memory");
	buf_fini(page);
	*page = b;
}

int
main(int argc, char **argv)
{
	struct buf page, style, script, b = BUF_INIT;

	if (argc < 4)
		fail("usage", "embed PAGE STYLE SCRIPT...");
	style = slurp(argv + 2, 1);
	script = slurp(argv + 3, argc - 3);
	page = slurp(argv + 1, 1);
	fill(&page, "@style\n", &style);
	fill(&page, "@script\n", &script);
	buf_adds(&b,
	    "/* Made by ui/embed.c from the files beside it. */\n"
	    "#include \"ui.h\"\n\nconst char ui_script_source[] =\n    \"");
	put_source(&b, (struct str){script.p, script.n});
	buf_adds(&b, "\";\nconst char ui_style_source[] =\n    \"");
	put_source(&b, (struct str){style.p, style.n});
	buf_addf(&b,
	    "\";\nconst size_t ui_page_size = %zu;\n"
	    "const unsigned char ui_page[] = {",
	    page.n);
	for (size_t i = 0; i < page.n; i++)
		buf_addf(&b, "%s0x%02x,", i % COLUMNS ? " " : "\n    ",
		    (unsigned char)page.p[i]);
	buf_adds(&b, "\n};\n");
	if (!buf_ok(&b) || fwrite(b.p, 1, b.n, stdout) != b.n ||
	    fflush(stdout) != 0)
		fail("output", strerror(errno));
	buf_fini(&page);
	buf_fini(&style);
	buf_fini(&script);
	buf_fini(&b);
	return 0;
}
