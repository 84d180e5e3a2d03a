/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * redact: no secret gets out, whatever the shape around it and wherever the
 * output is cut, and what is no secret stays.
 *
 * The planted secrets are made of letters and digits that nothing else in the
 * corpus uses, so one leaked byte is seen.
 */
#include "support/unit.h"

#include "buf.h"
#include "redact.h"

#define ONLY_SECRET "QZJ79"
#define MAX_CUT	    600
#define BIG	    8192

/* Redact with all the room it takes. */
static struct str
whole(struct str in, char out[BIG])
{
	return (struct str){out, redact(out, BIG, in)};
}

/* ---- exact results ---- */

static const struct {
	const char *in, *want; /* want NULL: unchanged */
} exact[] = {
    /* JSON values of every type */
    {"{\"password\":\"QZ\",\"x\":1}", "{\"password\":\"***\",\"x\":1}"},
    {"{\"password\" : \"Q\\\"Z\" , \"x\":1}",
	"{\"password\" : \"***\" , \"x\":1}"},
    {"{\"password\":\"QZ\\\\\",\"x\":1}", "{\"password\":\"***\",\"x\":1}"},
    {"{\"password\":\"\",\"x\":1}", "{\"password\":\"***\",\"x\":1}"},
    {"{\"password\":79,\"x\":1}", "{\"password\":\"***\",\"x\":1}"},
    {"{\"x\":1,\"password\":79}", "{\"x\":1,\"password\":\"***\"}"},
    {"{\"password\":null,\"x\":true}", "{\"password\":\"***\",\"x\":true}"},
    {"{\"password\":{\"a\":[\"Q}\",{\"b\":\"]Z\"}]},\"x\":1}",
	"{\"password\":\"***\",\"x\":1}"},
    {"{\"password\":[\"Q\",[\"Z\"]],\"x\":1}",
	"{\"password\":\"***\",\"x\":1}"},
    {"{\"password\":\n\t\"QZ\"\n}", "{\"password\":\n\t\"***\"\n}"},
    /* names */
    {"{\"CHAP-Password_2\":\"QZ\"}", "{\"CHAP-Password_2\":\"***\"}"},
    {"{\"the password is\":\"QZ\",\"x\":1}",
	"{\"the password is\":\"***\",\"x\":1}"},
    {"{\"pass\\u0077ord\":\"QZ\"}", "{\"pass\\u0077ord\":\"***\"}"},
    {"{\"\\u0070assword\":\"QZ\"}", "{\"\\u0070assword\":\"***\"}"},
    {"{\"Private Key\":\"QZ\"}", "{\"Private Key\":\"***\"}"},
    {"smb_pass=QZ client.pem=QZ psk2=QZ",
	"smb_pass=*** client.pem=*** psk2=***"},
    /* JSON in strings */
    {"{\"p\":\"{\\\"password\\\":\\\"QZ\\\",\\\"x\\\":1}\",\"y\":2}",
	"{\"p\":\"{\\\"password\\\":\\\"***\\\",\\\"x\\\":1}\",\"y\":2}"},
    {"{\"p\":\"{\\\"password\\\":79,\\\"x\\\":1}\",\"y\":2}",
	"{\"p\":\"{\\\"password\\\":\\\"***\\\",\\\"x\\\":1}\",\"y\":2}"},
    {"{\"p\":\"{\\u0022password\\u0022:\\u0022QZ\\u0022}\",\"y\":2}",
	"{\"p\":\"{\\u0022password\\u0022:\\u0022***\\u0022}\",\"y\":2}"},
    {"\"\\\"{\\\\\\\"password\\\\\\\":\\\\\\\"QZ\\\\\\\",\\\\\\\"x\\\\\\\":"
     "1}\\\"\"",
	"\"\\\"{\\\\\\\"password\\\\\\\":\\\\\\\"***\\\\\\\","
	"\\\\\\\"x\\\\\\\":1}\\\"\""},
    {"[\"[\\\"{\\\\u0022token\\\\u0022:\\\\u0022QZ\\\\u0022}\\\"]\",1]",
	"[\"[\\\"{\\\\u0022token\\\\u0022:\\\\u0022***\\\\u0022}\\\"]\",1]"},
    /* pairs, argument lists */
    {"[[\"chappassword\",\"QZ\"],[\"user\",\"bob\"]]",
	"[[\"chappassword\",\"***\"],[\"user\",\"bob\"]]"},
    {"[ [ \"token\" , 79 ] , [ \"user\" , 1 ] ]",
	"[ [ \"token\" , \"***\" ] , [ \"user\" , 1 ] ]"},
    {"[\"mount\",\"--password\",\"QZ\",\"/mnt\"]",
	"[\"mount\",\"--password\",\"***\",\"/mnt\"]"},
    {"[\"mount\",\"--password=QZ\",\"/mnt\"]",
	"[\"mount\",\"--password=***\",\"/mnt\"]"},
    {"{\"key\":\"password\",\"value\":\"QZ\",\"x\":1}",
	"{\"key\":\"password\",\"value\":\"***\",\"x\":1}"},
    {"{\"v\":\"QZ\",\"k\":\"password\",\"x\":1}",
	"{\"v\":\"***\",\"k\":\"password\",\"x\":1}"},
    /* text */
    {"password=QZ next", "password=*** next"},
    {"password: QZ Q\nnext", "password: ***\nnext"},
    {"password:\n  QZ\n  ZQ\nnext", "password:***\nnext"},
    {"mount --password QZ /mnt", "mount --password *** /mnt"},
    {"password='Q Z' next", "password='***' next"},
    {"password=\"Q Z\" next", "password=\"***\" next"},
    {"with password 'QZ' failed", "with password '***' failed"},
    {"x[password]=QZ y", "x[password]=*** y"},
    {"x[\"password\"] = \"QZ\"; y", "x[\"password\"] = \"***\"; y"},
    {":password=>\"QZ\", y", ":password=>\"***\", y"},
    {"{'password': 'QZ', 'x': 1}", "{'password': '***', 'x': 1}"},
    {"(a((chappassword QZ)(user bob)))", "(a((chappassword ***)(user bob)))"},
    {"Authorization: Basic QZ", "Authorization: ***"},
    {"{\"cmd\":\"mount -o password=QZ /mnt\",\"x\":1}",
	"{\"cmd\":\"mount -o password=*** /mnt\",\"x\":1}"},
    {"{\"cmd\":\"mount password=Q\\\",Z /mnt\",\"x\":1}",
	"{\"cmd\":\"mount password=*** /mnt\",\"x\":1}"},
    {"((a 1)(password (Q 7) Z)(x y))", "((a 1)(password ***)(x y))"},
    /* URIs */
    {"nfs://bob:QZ@host/x@y z", "nfs://***@host/x@y z"},
    {"smb://QZ@host/x", "smb://***@host/x"},
    {"x://bob:Q/Z@host/x", "x://***@host/x"},
    {"\"x:\\/\\/bob:QZ@host:1\\/x\"", "\"x:\\/\\/***@host:1\\/x\""},
    {"http://h/?token=QZ", "http://h/?token=***"},
    /* XML */
    {"<password>QZ</password><x>y</x>", "<password>***</password><x>y</x>"},
    {"<a:password q=\"1\">Q</b>Z</a:password><x>y</x>",
	"<a:password ***>***</a:password><x>y</x>"},
    {"<password value=\"QZ\"/><x>y</x>", "<password ***/><x>y</x>"},
    {"<name>password</name><value><string>QZ</string></value><x>y</x>",
	"<name>password</name><value>***</value><x>y</x>"},
    {"<e key=\"password\" value=\"QZ\"/><x>y</x>",
	"<e key=\"password\" value=\"***\"/><x>y</x>"},
    {"<e key=\"password\">QZ</e><x>y</x>",
	"<e key=\"password\">***</e><x>y</x>"},
    {"\"\\u003cpassword\\u003eQZ\\u003c/password\\u003e\",1",
	"\"\\u003cpassword\\u003e***\\u003c/password\\u003e\",1"},
    /* PEM */
    {"a -----BEGIN RSA PRIVATE KEY-----\nQZ\n-----END RSA PRIVATE KEY----- b",
	"a *** b"},
    {"{\"x\":\"-----BEGIN KEY-----\\nQZ\\n-----END KEY-----\\n\",\"y\":1}",
	"{\"x\":\"***\\n\",\"y\":1}"},
    /* broken off */
    {"{\"password\":\"QZ", "{\"password\":\"***"},
    {"{\"password\":\"Q\"Z\",\"x\":1}", "{\"password\":\"***\",\"x\":1}"},
    {"{\"password\":{\"a\":\"QZ", "{\"password\":\"***\""},
    {"{\"p\":\"{\\\"password\\\":{\\\"a\\\":\\\"Q\",\"end\":1}",
	"{\"p\":\"{\\\"password\\\":\\\"***\\\"\",\"end\":1}"},
    {"{\"password\":", NULL},
    {"password=", NULL},
    {"--password", NULL},
    {"\"password", NULL},
    /* no secrets */
    {"", NULL},
    {"{\"key\":5,\"keyboard\":\"us\",\"keys\":[1],\"id\":\"k\"}", NULL},
    {"key=5 keyboard: us passthrough=1 compass: 2 secure=yes author=me", NULL},
    {"the password is wrong, and the token has expired", NULL},
    {"{\"type\":\"password\",\"name\":\"bob\"}", NULL},
    {"{\"message\":\"wrong password\",\"name\":\"bob\"}", NULL},
    {"http://host:80/a/b@c?d=e#f file:///etc/x //srv/share a@b.c x:y@z", NULL},
    {"a -- b --x=1 -y 2 \\ \\\\ \" ' ` < > & \xe2\x80\xa6 \xff", NULL},
    {"[\"SR_BACKEND_FAILURE_47\",\"bad password for bob\",\"uuid\"]", NULL},
    {"<b>bold</b> <i x=\"1\">y</i>", NULL},
};

/* The table above. */
static void
redact_exact(void **state)
{
	char out[BIG];

	(void)state;
	for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
		const char *want = exact[i].want ? exact[i].want : exact[i].in;
		struct str got = whole(str_of(exact[i].in), out);
		if (!str_eq(got, str_of(want)))
			fail_msg("%s\n got  %.*s\n want %s", exact[i].in,
			    (int)got.n, got.p, want);
	}
}

/* ---- the corpus ---- */

/* What may stand where the secret goes. */
enum room {
	R_WORD, /* letters and digits */
	R_LINE, /* anything without quotes, brackets, backslashes */
	R_QUOTE, /* anything, escaped once for JSON */
	R_VALUE, /* a JSON value of any kind */
};

static const struct {
	enum room room;
	const char *text; /* %K key, %S secret */
} shapes[] = {
    {R_QUOTE, "{\"%K\":\"%S\",\"end\":1}"},
    {R_QUOTE, "{\"a\":1,\"%K\" : \"%S\"}"},
    {R_QUOTE, "{\n  \"%K\": \"%S\",\n  \"end\": 1\n}"},
    {R_QUOTE, "[[\"%K\",\"%S\"],[\"end\",\"1\"]]"},
    {R_QUOTE, "[\n [\n  \"%K\",\n  \"%S\"\n ]\n]"},
    {R_QUOTE, "[\"mount\",\"--%K\",\"%S\",\"end\"]"},
    {R_QUOTE, "{\"key\":\"%K\",\"value\":\"%S\",\"end\":1}"},
    {R_QUOTE, "{\"value\":\"%S\",\"name\":\"%K\",\"end\":1}"},
    {R_QUOTE, "{\"k\":\"%K\", \"v\": \"%S\"}"},
    {R_QUOTE, "{\"%K\":[\"%S\",\"%S\"],\"end\":1}"},
    {R_QUOTE, "{\"%K\":{\"a\":\"%S\"},\"end\":1}"},
    {R_QUOTE,
	"{\"method\":\"SR.attach\",\"params\":[{\"device_config\":{"
	"\"target\":\"a\",\"%K\":\"%S\"},\"dbg\":\"d\"}],\"id\":3}"},
    {R_QUOTE,
	"{\"params\":[{\"device_config\":[[\"target\",\"a\"],[\"%K\","
	"\"%S\"]],\"dbg\":\"d\"}]}"},
    {R_QUOTE, "{\"%K\":\"%S"},
    {R_VALUE, "{\"%K\":%S,\"end\":1}"},
    {R_VALUE, "[[\"%K\", %S ],1]"},
    {R_VALUE, "{\"end\":1,\"%K\":%S}"},
    {R_WORD, "{'%K': '%S', 'end': 1}"},
    {R_WORD, "{'%K': u'%S', 'end': 1}"},
    {R_WORD, "('%K', '%S')"},
    {R_WORD, "((%K %S)(end 1))"},
    {R_WORD, "((%K(%S))(end 1))"},
    {R_WORD, "((\"%K\" \"%S\")(end 1))"},
    {R_WORD, "mount -o user=bob,%K=%S /mnt"},
    {R_WORD, "mount --%K %S /mnt"},
    {R_WORD, "mount --%K='%S' /mnt"},
    {R_WORD, "--%K=%S"},
    {R_WORD, "%K=%S\nend=1"},
    {R_WORD, "%K = %S"},
    {R_WORD, "xe sr-create device-config:%K=%S end"},
    {R_WORD, "export %K=\"%S\"; end"},
    {R_WORD, "?a=b&%K=%S"},
    {R_WORD, "x[%K]=%S"},
    {R_WORD, "$x['%K'] = '%S';"},
    {R_WORD, ":%K => '%S', end"},
    {R_WORD, "failed with %K \"%S\" here"},
    {R_LINE, "%K: %S\nend: 1"},
    {R_LINE, "X-%K:%S\r\nend: 1"},
    {R_LINE, "%K: |\n  %S\n  %S\nend: 1"},
    {R_LINE, "%K='%S' end"},
    {R_LINE, "<%K>%S</%K><end/>"},
    {R_LINE, "<a:%K b=\"c\">%S</a:%K><end/>"},
    {R_LINE, "<%K value=\"%S\"/><end/>"},
    {R_LINE,
	"<member><name>%K</name>\n<value><string>%S</string></value>"
	"</member><end/>"},
    {R_LINE, "<e key=\"%K\">%S</e><end/>"},
    {R_WORD, "<e name=\"%K\" value=\"%S\" end=\"1\"/>"},
    {R_WORD, "nfs://bob:%S@host/end"},
    {R_WORD, "nfs://%S@host/end"},
    {R_WORD, "nfs://bob:a/%S@host/end"},
    {R_WORD, "//bob:%S@host/end"},
    {R_WORD, "{\"uri\":\"iscsi:\\/\\/bob:%S@host:3260\\/end\"}"},
    {R_WORD, "{\"uri\":[\"smb://bob:%S@host/end\"]}"},
    {R_LINE,
	"-----BEGIN RSA PRIVATE KEY-----\n%S\n-----END RSA PRIVATE "
	"KEY-----\nend"},
};

static const char *const keys[] = {"password", "chappassword",
    "incoming_chappassword", "cifspassword", "Passwd", "client-secret",
    "sharedsecret", "token", "auth_key", "API-Key", "private_key",
    "ssh_private_key_data", "pem", "PEMs", "blob", "session_id",
    "Authorization", "credentials", "cookie", "pass"};

static const struct {
	enum room room;
	const char *text;
} secrets[] = {
    {R_WORD, "QZJ79"},
    {R_WORD, "Q"},
    {R_WORD, "QZ.J-7_9+Q"},
    {R_WORD, "7Q9;Z,7!J$9"},
    {R_WORD, "QZ7\xc3\xa9J\xe2\x80\xa6Z9"},
    {R_LINE, "Q Z  J, 7; 9: Q = 79"},
    {R_LINE, "Q=Z&J#7%9?Q/7:9"},
    {R_QUOTE, "Q\"Z"},
    {R_QUOTE, "Q\",\"Z\":\"J\"}"},
    {R_QUOTE, "Q\\"},
    {R_QUOTE, "Q\\\"\\Z\\\\"},
    {R_QUOTE, "{\"Q\":\"Z\"}"},
    {R_QUOTE, "[Q]}{Z\n7\tJ"},
    {R_QUOTE, "Q'Z'J"},
    {R_VALUE, "79"},
    {R_VALUE, "-7.9e+7"},
    {R_VALUE, "{\"Q\":[\"Z}\",{\"7\":\"]\\\"J\"}]}"},
    {R_VALUE, "[[],{},\"Q[\",[\"Z\"]]"},
    {R_VALUE, "\"Q\\\"Z\""},
};

/* s escaped for the inside of a JSON string. */
static void
add_escaped(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c == '\n')
			buf_adds(b, "\\n");
		else if (c < 0x20)
			buf_addf(b, "\\u%04x", c);
		else
			buf_addc(b, (char)c);
	}
}

/* A shape with key and secret in. */
static void
plant(struct buf *b, size_t shape, const char *key, size_t secret)
{
	const char *sec = secrets[secret].text;

	for (const char *t = shapes[shape].text; *t; t++) {
		if (t[0] != '%' || (t[1] != 'K' && t[1] != 'S')) {
			buf_addc(b, *t);
			continue;
		}
		if (*++t == 'K')
			buf_adds(b, key);
		else if (shapes[shape].room == R_QUOTE)
			add_escaped(b, sec, strlen(sec));
		else
			buf_adds(b, sec);
	}
}

/* Put it as a string into a list, as params often are. */
static void
nest(struct buf *b)
{
	struct buf in = *b;

	buf_init(b);
	buf_adds(b, "{\"method\":\"x\",\"params\":[\"");
	add_escaped(b, in.p, in.n);
	buf_adds(b, "\"],\"id\":1}");
	buf_fini(&in);
}

/* No byte of a secret. */
static bool
clean(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '\0' && strchr(ONLY_SECRET, p[i]) != NULL)
			return false;
	return true;
}

/* The text as a whole, and cut everywhere: nothing leaks, and each cut is the
 * beginning of the whole, then an ellipsis. */
static void
check_cuts(struct str in, size_t step)
{
	char all[BIG], out[MAX_CUT + 8];
	struct str full = whole(in, all);

	if (!clean(full.p, full.n))
		fail_msg("leak\n in  %.*s\n out %.*s", (int)in.n, in.p,
		    (int)full.n, full.p);
	for (size_t max = 0; max <= MAX_CUT; max += step) {
		size_t n, head;
		memset(out, '\x01', sizeof out);
		n = redact(out, max, in);
		assert_int_equal(out[max], '\x01');
		if (full.n <= max) {
			assert_int_equal(n, full.n);
			assert_memory_equal(out, full.p, n);
			continue;
		}
		if (max < 3) {
			assert_int_equal(n, 0);
			continue;
		}
		assert_in_range(n, max >= 6 ? max - 3 : 3, max);
		head = n - 3;
		assert_memory_equal(out + head, "\xe2\x80\xa6", 3);
		assert_memory_equal(out, full.p, head);
		assert_true(clean(out, n));
	}
}

/* The secret can stand in this shape. */
static bool
fits(size_t shape, size_t secret)
{
	enum room s = shapes[shape].room, x = secrets[secret].room;

	return s == x || (s == R_LINE && x == R_WORD) ||
	    (s == R_QUOTE && x < R_QUOTE);
}

/* Every shape, key, secret, nested 0 to 3 times: as a whole, and some cuts of
 * each. */
static void
redact_corpus_leaks_nothing(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++)
			for (size_t k = 0;
			     fits(i, j) && k < sizeof keys / sizeof *keys;
			     k++) {
				struct buf b = BUF_INIT;
				plant(&b, i, keys[k], j);
				for (int d = 0; d < 4; d++) {
					check_cuts((struct str){b.p, b.n}, 89);
					n++;
					nest(&b);
				}
				buf_fini(&b);
			}
	print_message("# %zu texts\n", n);
	assert_true(n > 10000);
}

/* One key: every shape and secret, nested 0 to 3 times, at every cut. */
static void
redact_corpus_at_every_cut(void **state)
{
	size_t n = 0, step = getenv("LD_PRELOAD") ? 41 : 1; /* valgrind */

	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++) {
			struct buf b = BUF_INIT;
			if (!fits(i, j))
				continue;
			plant(&b, i, keys[n % 20], j);
			for (int d = 0; d < 4; d++) {
				check_cuts((struct str){b.p, b.n}, step);
				n++;
				nest(&b);
			}
			buf_fini(&b);
		}
	print_message("# %zu texts\n", n);
	assert_true(n >= 200);
}

/* The same text with a harmless key passes unchanged, at any depth. */
static void
redact_corpus_harmless(void **state)
{
	static const char *const harmless[] = {
	    "target", "key", "keyboard", "path", "vdi-type", "user"};
	char out[BIG];

	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++)
			for (size_t k = 0; k < 6 * fits(i, j); k++) {
				struct buf b = BUF_INIT;
				if (strchr(shapes[i].text, '@') ||
				    strstr(shapes[i].text, "BEGIN"))
					continue;
				plant(&b, i, harmless[k], j);
				for (int d = 0; d < 4; d++) {
					struct str in = {b.p, b.n};
					struct str got = whole(in, out);
					if (!str_eq(got, in))
						fail_msg("%.*s\n%.*s",
						    (int)in.n, in.p, (int)got.n,
						    got.p);
					nest(&b);
				}
				buf_fini(&b);
			}
}

/* What comes after a masked value is still there, at any depth. */
static void
redact_keeps_the_rest(void **state)
{
	char out[BIG];

	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++) {
			struct buf b = BUF_INIT;
			if (!fits(i, j) ||
			    strstr(shapes[i].text, "\"end\"") == NULL)
				continue;
			plant(&b, i, "password", j);
			for (int d = 0; d < 4; d++) {
				struct str got =
				    whole((struct str){b.p, b.n}, out);
				out[got.n] = '\0';
				if (strstr(out, "end") == NULL ||
				    strstr(out, "***") == NULL)
					fail_msg(
					    "%.*s\n%s", (int)b.n, b.p, out);
				nest(&b);
			}
			buf_fini(&b);
		}
}

/* Doing it twice changes nothing more. */
static void
redact_twice_is_once(void **state)
{
	char out[BIG], again[BIG];

	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct buf b = BUF_INIT;
		struct str one, two;
		plant(&b, i, "password", 0);
		nest(&b);
		one = whole((struct str){b.p, b.n}, out);
		two = whole(one, again);
		if (!str_eq(one, two))
			fail_msg("%s\n%.*s\n%.*s", shapes[i].text, (int)one.n,
			    one.p, (int)two.n, two.p);
		buf_fini(&b);
	}
}

/* Broken text of any kind: in bounds, cuts are beginnings; and a secret that
 * comes after it is masked all the same. */
static void
redact_any_bytes(void **state)
{
	static const char *const parts[] = {"\"", "\\\"", "\\\\\\\"", "\\", "'",
	    ":", "=", ",", "{", "}", "[", "]", "(", ")", "<", ">", "/", "//",
	    "@", " ", "\n", "\\n", "\\u0022", "\\u", "password", "pem", "--",
	    "value", "-----BEGIN", "-----END", "\xe2\x80\xa6", "\xf0", "\x80",
	    "x", "1", "</password>", "<password", "\\u003c", "token", "k"};
	static const char *const tails[] = {"", " {\"password\":\"QQ\"}",
	    " password=QQ x",
	    " {\"p\":\"{\\\"password\\\":\\\"QQ\\\",\\\"x\\\":1}\"}"};
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 6000; i++) {
		struct buf b = BUF_INIT;
		int n = i % 60;
		for (int k = 0; k < n; k++) {
			seed = seed * 1103515245 + 12345;
			buf_adds(&b, parts[(seed >> 16) % 40]);
		}
		buf_adds(&b, tails[i % 4]);
		check_cuts((struct str){b.p, b.n}, 13);
		buf_fini(&b);
	}
}

/* A cut is not within a character. */
static void
redact_cuts_between_characters(void **state)
{
	char out[16];

	(void)state;
	assert_bytes(
	    out, redact(out, 6, STR("a\xf0\x9f\x98\x80xyz")), "a\xe2\x80\xa6");
	assert_bytes(out, redact(out, 8, STR("a\xf0\x9f\x98\x80xyz")),
	    "a\xf0\x9f\x98\x80xyz");
	assert_bytes(out,
	    redact(out, 7, STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9")),
	    "\xc3\xa9\xc3\xa9\xe2\x80\xa6");
	assert_int_equal(redact(out, 2, STR("abc")), 0);
	assert_int_equal(redact(out, 0, STR("abc")), 0);
	assert_int_equal(redact(out, 0, STR("")), 0);
	assert_int_equal(redact(NULL, 0, (struct str){NULL, 0}), 0);
	assert_bytes(out, redact(out, 3, STR("abc")), "abc");
	assert_bytes(out, redact(out, 3, STR("abcd")), "\xe2\x80\xa6");
}

/* `text`, then Qs up to n bytes, then `end`: nothing of it leaks. */
static void
check_endless(const char *text, size_t n, const char *end)
{
	struct buf b = BUF_INIT;
	char out[600];
	size_t got;

	buf_adds(&b, text);
	while (b.n < n)
		buf_addc(&b, 'Q');
	buf_adds(&b, end);
	got = redact(out, sizeof out, (struct str){b.p, b.n});
	assert_true(got <= sizeof out);
	if (!clean(out, got))
		fail_msg("leak of %s: %.*s", text, (int)got, out);
	buf_fini(&b);
}

/* Whatever is too long to be looked through is a secret. */
static void
redact_endless_is_secret(void **state)
{
	static const char *const texts[][2] = {
	    {"a://", "@host/"},
	    {"a://b:c/", "@host/"},
	    {"a://b:", ""},
	    {"<password a=\"", "\">x</password>"},
	    {"<password>", "</password>"},
	    {"<name>password</name><value>", "</value>"},
	    {"{\"password\":\"", "\"}"},
	    {"{\"password\":[\"", "\"]}"},
	    {"{\"v\":\"", "\",\"k\":\"password\"}"},
	    {"password=", " x"},
	    {"password: ", "\n"},
	    {"-----BEGIN X-----", "-----END X-----"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		for (size_t n = 100; n < 400000; n *= 4)
			check_endless(texts[i][0], n, texts[i][1]);
}

/* A long secret costs as much as its length, and what is longer than
 * anything sensible ends the text. */
static void
redact_long_values(void **state)
{
	size_t n = 300000;
	char *in = malloc(n), out[600];

	(void)state;
	assert_non_null(in);
	memset(in, 'Q', n);
	memcpy(in, "{\"password\":\"", 13);
	memcpy(in + 60000, "\",\"x\":1}", 8);
	assert_bytes(out, redact(out, 600, (struct str){in, 60008}),
	    "{\"password\":\"***\",\"x\":1}");
	memset(in + 60000, 'Q', 8);
	assert_bytes(out, redact(out, 600, (struct str){in, n}),
	    "{\"password\":\"***\xe2\x80\xa6");
	free(in);
}

/* Each key of the list is in force. */
static void
redact_every_key(void **state)
{
	char in[200], out[BIG];

	(void)state;
	for (const char *const *k = redact_keys; *k != NULL; k++) {
		struct str got;
		for (const char *c = *k; *c; c++)
			assert_true(*c >= 'a' && *c <= 'z');
		snprintf(in, sizeof in, "%s=Q my_%s_2: Q\n{\"%s\":\"Q\"}", *k,
		    *k, *k);
		got = whole(str_of(in), out);
		if (!clean(got.p, got.n))
			fail_msg("%s: %.*s", *k, (int)got.n, got.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(redact_exact),
	    cmocka_unit_test(redact_corpus_leaks_nothing),
	    cmocka_unit_test(redact_corpus_at_every_cut),
	    cmocka_unit_test(redact_corpus_harmless),
	    cmocka_unit_test(redact_keeps_the_rest),
	    cmocka_unit_test(redact_twice_is_once),
	    cmocka_unit_test(redact_any_bytes),
	    cmocka_unit_test(redact_cuts_between_characters),
	    cmocka_unit_test(redact_endless_is_secret),
	    cmocka_unit_test(redact_long_values),
	    cmocka_unit_test(redact_every_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
