/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * What every command is given: the options for all of them, the way to the
 * broker, and the writer.  A command is a file with one row (struct cmd) and a
 * line in the table of cmd.c; nothing else has to be touched.
 */
#ifndef XMSG_CLI_H
#define XMSG_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "opts.h"
#include "out.h"

/* Exit statuses; xmsg(1) lists them. */
enum {
	CLI_DONE = 0,
	CLI_NONE = 1, /* nothing matched, not found */
	CLI_USAGE = 2, /* the command line makes no sense */
	CLI_DEAD = 3, /* no broker answers */
	CLI_REFUSED = 4, /* the broker did not allow it */
	CLI_PART = 5, /* done in part */
	CLI_TIME = 6, /* the time limit passed */
	CLI_INTERRUPTED = 130,
};

#define CLI_CONNECT_MS 2000 /* limit for a connection to be taken */

struct xmsg;
struct cmd;
struct state;
struct look_filter;
struct events;
struct act;

struct cli {
	const char *prog; /* "xmsg" or "message-cli" */
	const struct cmd *cmd;
	const struct cmd *const *cmds; /* the table it comes from */
	struct opts opts;
	struct out out;
	/* options for all */
	const char *socket, *state_dir;
	bool state_named; /* by the environment, or an option */
	int64_t limit_ns, start_ns; /* whole time; monotonic start */
	bool json, quiet, verbose, utc;
	bool offline; /* read the state folder, do not ask the broker */
	bool say_out; /* remarks go to standard output (old diag, tail) */
	/* the broker */
	struct xmsg *x;
	bool answered; /* it has answered once */
	bool dead; /* it does not answer; said so */
	struct err why; /* of the last failure */
	struct state *state; /* the folder, when it had to be read */
	const struct look_filter *filter; /* of listings, or NULL */
	int64_t event_id; /* only events of this message; 0: all */
	const char *event_kinds; /* only these, with commas; NULL: all */
	struct events *events; /* the recorder as it was once, or NULL */
	const struct act *act; /* what is done to messages, or NULL */
};

enum {
	CMD_EXACT = 1, /* destroys something: must be written out */
	CMD_ALONE = 2, /* needs no broker */
	CMD_READS = 4, /* can read the state folder instead */
	CMD_HIDDEN = 8, /* not in the list of commands */
	CMD_TAKES_LIMIT = 16, /* --timeout is the command's own matter */
	CMD_HELPS = 32, /* --help with operands is the command's own matter */
};

struct cmd {
	const char *name;
	const char *alias; /* or NULL */
	const char *args; /* operands, for the usage line */
	const char *help; /* what it does, one line */
	unsigned flags;
	int min, max; /* operands; max -1: any number */
	const struct opt *opts; /* its own options, or NULL */
	int (*run)(struct cli *, int argc, char **argv);
	/* say what can stand at the place of the last operand (cmd_offer), or
	 * NULL: that follows from args */
	void (*complete)(struct cli *, int argc, char **argv);
};

/* Milliseconds left of the time limit, at least 1. */
int cli_left_ms(const struct cli *);

/* A remark or an error for a person, one line, after what was written so far;
 * cli_fail prints c->why and returns code. */
void cli_say(struct cli *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int cli_fail(struct cli *, int code);
int cli_usage(struct cli *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Let those go first who work. */
void cli_stand_back(void);

/* Nothing was found: a word for a person at a terminal; CLI_NONE. */
int cli_none(struct cli *, const char *what);

/* The status of several acts: none failed, all failed, some. */
struct tally {
	int done, failed, code; /* code of the first failure */
};
void tally_add(struct tally *, int code);
int tally_code(const struct tally *);

/* Call fn for every operand; "-" stands for the lines of standard input. */
struct tally cli_each(struct cli *, int argc, char **argv,
    int (*fn)(struct cli *, const char *word));

/* A file ("-" or NULL: standard input), whole; 0 or -1 with c->why. */
int cli_slurp(struct cli *, const char *path, struct buf *b);

/* The message's bytes from --body, --file or the operand "-"; an exit
 * status. */
int cli_body(struct cli *, const char *operand, struct buf *b);

#endif
