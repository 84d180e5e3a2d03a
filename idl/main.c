/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * xmsg-idl: reads the declarations and writes one of the formats.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "version.h"
#include "xalloc.h"

#include "check.h"
#include "diff.h"
#include "emit.h"
#include "links.h"
#include "load.h"

enum { EXIT_OK = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

#ifndef XMSG_APIDIR
#define XMSG_APIDIR "/usr/share/xmsg/idl"
#endif

/* How it is called. */
static void
usage(FILE *f)
{
	size_t i;

	fputs("usage: xmsg-idl FORMAT [-o DIR] [FILE-OR-FOLDER...]\n"
	      "       xmsg-idl check [FILE-OR-FOLDER...]\n"
	      "       xmsg-idl diff OLD NEW\n"
	      "       xmsg-idl new-plugin [--datapath] [-o DIR] NAME\n"
	      "       xmsg-idl links DIR [FILE-OR-FOLDER...]\n\n"
	      "Reads the declarations of the storage interface (by default\n"
	      "those installed with the program) and writes:\n\n",
	    f);
	for (i = 0; emitters[i] != NULL; i++)
		fprintf(
		    f, "  %-12s %s\n", emitters[i]->name, emitters[i]->help);
	fputs(
	    "\n"
	    "  check        nothing; reports every mistake in the "
	    "declarations\n"
	    "  diff         what changed; status 1 when it breaks callers or\n"
	    "               plugins and no lifecycle says so\n"
	    "  new-plugin   a folder for a plugin of your own, in Python\n"
	    "  links        a link in DIR for each call its programs have\n\n"
	    "  -o DIR       write files below DIR (needed by formats of\n"
	    "               several files; without it, to standard output)\n"
	    "  --datapath   a datapath plugin instead of a volume plugin\n"
	    "  --formats    list the words above, for scripts\n"
	    "  -h, --help   this text\n"
	    "  -V, --version\n",
	    f);
}

/* Make the folders that lead to a file. */
static int
make_parents(char *path)
{
	char *s;

	for (s = strchr(path + 1, '/'); s != NULL; s = strchr(s + 1, '/')) {
		*s = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST) {
			fprintf(stderr, "xmsg-idl: %s: %s\n", path,
			    strerror(errno));
			*s = '/';
			return -1;
		}
		*s = '/';
	}
	return 0;
}

/* Bytes and mode of a plain file; 0 or -1 with errno. */
static int
write_plain(const char *path, const struct out_file *f)
{
	FILE *out = fopen(path, "we");
	int rc = 0;

	if (out == NULL)
		return -1;
	if (f->text.n > 0 && fwrite(f->text.p, 1, f->text.n, out) != f->text.n)
		rc = -1;
	if (fclose(out) != 0)
		rc = -1;
	if (rc == 0 && f->exec)
		rc = chmod(path, 0755);
	return rc;
}

/* One file below dir. */
static int
write_file(const char *dir, const struct out_file *f)
{
	char *path = xasprintf("%s/%s", dir, f->path);
	int rc = make_parents(path);

	if (rc == 0) {
		rc = f->link != NULL ? symlink(f->link, path)
				     : write_plain(path, f);
		if (rc < 0)
			fprintf(stderr, "xmsg-idl: %s: %s\n", path,
			    strerror(errno));
	}
	free(path);
	return rc;
}

/* Whatever an emitter made, to its place. */
static int
write_out(const char *dir, const struct out *o)
{
	const struct out_file *f;

	for (f = o->files; f != NULL; f = f->next)
		if (!buf_ok(&f->text)) {
			fputs("xmsg-idl: out of memory\n", stderr);
			return -1;
		}
	if (dir == NULL && o->files != NULL && o->files->next != NULL) {
		fputs("xmsg-idl: this format makes several files: say where "
		      "with -o DIR\n",
		    stderr);
		return -1;
	}
	if (dir == NULL) {
		f = o->files;
		if (f != NULL)
			fwrite(f->text.p, 1, f->text.n, stdout);
		return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -1;
	}
	for (f = o->files; f != NULL; f = f->next)
		if (write_file(dir, f) < 0)
			return -1;
	return 0;
}

/* Read, link and check; NULL with the problems on standard error. */
static struct api *
read_api(char *const *paths)
{
	static char *const installed[] = {(char *)XMSG_APIDIR, NULL};
	struct diag d = DIAG_INIT;
	struct api *api = api_new();

	for (paths = *paths != NULL ? paths : installed; *paths; paths++)
		load_path(api, *paths, &d);
	if (!api->broken)
		load_link(api, &d);
	if (d.n == 0)
		check_api(api, &d);
	if (d.n > 0) {
		fwrite(d.text.p, 1, d.text.n, stderr);
		fprintf(stderr, "%u problem%s\n", d.n, d.n == 1 ? "" : "s");
		api_free(api);
		api = NULL;
	}
	diag_fini(&d);
	return api;
}

/* `check`: say that all is well. */
static int
run_check(char *const *paths)
{
	struct api *api = read_api(paths);
	const struct module *m;
	const struct iface *i;
	const struct method *f;
	int n = 0, ifaces = 0;

	if (api == NULL)
		return EXIT_BAD;
	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next, ifaces++)
			for (f = i->methods; f != NULL; f = f->next)
				n++;
	printf("%s %s: %d interfaces, %d methods, no problems\n", api->name,
	    api->version, ifaces, n);
	api_free(api);
	return EXIT_OK;
}

/* One format. */
static int
run_emitter(const struct emitter *e, const char *dir, char *const *paths)
{
	struct api *api = read_api(paths);
	struct out o = {NULL};
	int rc;

	if (api == NULL)
		return EXIT_BAD;
	e->emit(api, &o);
	rc = write_out(dir, &o);
	out_fini(&o);
	api_free(api);
	return rc < 0 ? EXIT_BAD : EXIT_OK;
}

/* `new-plugin NAME`: a folder of that name, which must not be there. */
static int
run_new(const char *name, const char *kind, const char *dir, char *const *paths)
{
	struct out o = {NULL};
	struct api *api;
	struct stat st;
	char *path;
	int rc;

	if (name == NULL || name[0] == '.' || name[0] == '\0' ||
	    strpbrk(name, "/\"\\ ") != NULL) {
		fputs("xmsg-idl: new-plugin wants the name of the plugin, "
		      "which becomes a folder\n",
		    stderr);
		return EXIT_USAGE;
	}
	path = xasprintf("%s/%s", dir != NULL ? dir : ".", name);
	rc = lstat(path, &st);
	if (rc == 0)
		fprintf(stderr, "xmsg-idl: %s is there already\n", path);
	free(path);
	if (rc == 0 || (api = read_api(paths)) == NULL)
		return EXIT_BAD;
	emit_new_plugin(api, &o, name, kind);
	rc = write_out(dir != NULL ? dir : ".", &o);
	out_fini(&o);
	api_free(api);
	return rc < 0 ? EXIT_BAD : EXIT_OK;
}

/* `links DIR`: 0 when all is as it should be. */
static int
run_links(const char *dir, char *const *paths)
{
	struct api *api;
	int rc;

	if (dir == NULL) {
		fputs("xmsg-idl: links wants the folder of a plugin\n", stderr);
		return EXIT_USAGE;
	}
	if ((api = read_api(paths)) == NULL)
		return EXIT_BAD;
	rc = make_links(api, dir);
	api_free(api);
	return rc < 0 ? EXIT_BAD : EXIT_OK;
}

/* `diff OLD NEW`: 0 when nobody's program breaks, 1 when one does. */
static int
run_diff(char *const *paths)
{
	char *one[] = {NULL, NULL};
	struct api *old, *new = NULL;
	struct buf text = BUF_INIT;
	enum diff_level level;

	if (paths[0] == NULL || paths[1] == NULL || paths[2] != NULL) {
		fputs("xmsg-idl: diff wants two files or folders, OLD and "
		      "NEW\n",
		    stderr);
		return EXIT_USAGE;
	}
	one[0] = paths[0];
	old = read_api(one);
	one[0] = paths[1];
	if (old != NULL)
		new = read_api(one);
	if (new == NULL) {
		api_free(old);
		return EXIT_USAGE;
	}
	level = diff_apis(old, new, &text);
	if (text.n > 0)
		fwrite(text.p, 1, text.n, stdout);
	buf_fini(&text);
	api_free(old);
	api_free(new);
	if (fflush(stdout) != 0)
		return EXIT_USAGE;
	return level == DIFF_BREAKS ? EXIT_BAD : EXIT_OK;
}

/* No such word. */
static int
unknown_format(const char *name)
{
	struct suggest s;
	size_t i;

	suggest_init(&s, name);
	suggest_offer(&s, "check");
	suggest_offer(&s, "diff");
	suggest_offer(&s, "new-plugin");
	suggest_offer(&s, "links");
	for (i = 0; emitters[i] != NULL; i++)
		suggest_offer(&s, emitters[i]->name);
	fprintf(stderr,
	    "xmsg-idl: unknown format \"%s\"%s; see "
	    "xmsg-idl --help\n",
	    name, suggest_text(&s));
	return EXIT_USAGE;
}

/* The word decides. */
static int
run(const char *name, const char *kind, const char *dir, char *const *paths)
{
	size_t i;

	if (strcmp(name, "new-plugin") == 0)
		return run_new(
		    paths[0], kind, dir, paths[0] != NULL ? paths + 1 : paths);
	if (strcmp(name, "links") == 0)
		return run_links(
		    paths[0], paths[0] != NULL ? paths + 1 : paths);
	if (strcmp(name, "check") == 0)
		return run_check(paths);
	if (strcmp(name, "diff") == 0)
		return run_diff(paths);
	for (i = 0; emitters[i] != NULL; i++)
		if (strcmp(emitters[i]->name, name) == 0)
			return run_emitter(emitters[i], dir, paths);
	return unknown_format(name);
}

/* Options, then the word, then the files. */
int
main(int argc, char **argv)
{
	static const struct option longopts[] = {
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {"output", required_argument, NULL, 'o'},
	    {"formats", no_argument, NULL, 'F'},
	    {"datapath", no_argument, NULL, 'D'},
	    {NULL, 0, NULL, 0},
	};
	const char *dir = NULL, *kind = "volume";
	size_t i;
	int c;

	while ((c = getopt_long(argc, argv, "ho:V", longopts, NULL)) != -1)
		switch (c) {
		case 'h': usage(stdout); return EXIT_OK;
		case 'V': puts("xmsg-idl " XMSG_VERSION); return EXIT_OK;
		case 'o': dir = optarg; break;
		case 'D': kind = "datapath"; break;
		case 'F':
			for (i = 0; emitters[i] != NULL; i++)
				puts(emitters[i]->name);
			return EXIT_OK;
		default: usage(stderr); return EXIT_USAGE;
		}
	if (optind >= argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return run(argv[optind], kind, dir, argv + optind + 1);
}
