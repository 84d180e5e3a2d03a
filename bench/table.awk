# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# The result lines of bench/run -> the tables, and the goals with what was
# reached.  A figure is the median over the rounds; a ratio is the median of the
# rounds' ratios, each of two figures of one round.  Exit status 1 when some
# case had faults.

# The value of a key in the flat JSON object on this line, "" when not there.
function member(key,    s) {
	if (!match($0, "\"" key "\":(\"[^\"]*\"|[-0-9.]+)"))
		return ""
	s = substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
	gsub(/"/, "", s)
	return s
}

# Take every number of the line; the two ceilings of a round make their mean.
{
	round = member("round"); who = member("who"); kind = member("case")
	if (round > rounds)
		rounds = round
	if (kind != "ceiling" && member("faults") != "0") {
		faulty[who " " kind] = member("first_fault")
		next
	}
	line = $0
	while (match(line, /"[a-z0-9_]+":-?[0-9.]+/)) {
		pair = substr(line, RSTART + 1, RLENGTH - 1)
		line = substr(line, RSTART + RLENGTH)
		split(pair, kv, /":/)
		at = who SUBSEP kind SUBSEP kv[1] SUBSEP round
		sum[at] += kv[2]
		count[at]++
	}
}

# One figure of one round, "" when there is none.
function figure(who, kind, key, round,    at) {
	at = who SUBSEP kind SUBSEP key SUBSEP round
	return at in sum ? sum[at] / count[at] : ""
}

# Median of list[1..n].
function median(n,    i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
			t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
		}
	if (n == 0)
		return ""
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

# A figure over all rounds.
function med(who, kind, key,    r, n, v) {
	n = 0
	for (r = 1; r <= rounds; r++)
		if ((v = figure(who, kind, key, r)) != "")
			list[++n] = v + 0
	return median(n)
}

# The ratio of two figures over all rounds.
function ratio(who, kind, key, who2, kind2, key2,    r, n, v, w) {
	n = 0
	for (r = 1; r <= rounds; r++) {
		v = figure(who, kind, key, r)
		w = figure(who2, kind2, key2, r)
		if (v != "" && w != "" && w + 0 != 0)
			list[++n] = v / w
	}
	return median(n)
}

# A number in a column; "-" when there is none.
function col(width, digits, v) {
	if (v == "")
		return sprintf("%" width "s", "-")
	return sprintf("%" width "." digits "f", v)
}

# The end of a row: what the other broker did, and ours over its.
function other(kind, key) {
	if (two == "")
		return ""
	return col(11, key ~ /ms$/ ? 1 : 0, med("B", kind, key)) \
	    col(8, 2, ratio("A", kind, key, "B", kind, key))
}

function heading(text) {
	print "\n" text (two == "" ? "" : sprintf("%11s%8s", "B", "A/B"))
}

function ceiling_table(    n, i, batch, k) {
	printf "\n%-24s%11s%11s%9s%9s%9s\n", "ceiling", "commits/s", "rows/s", "p50 us", "p99 us", "CPU us"
	n = split("insert_1 insert_16 insert_64 insert_256 insdel_1 insdel_16 insdel_64 insdel_256 grow_1 overwrite_1", k, " ")
	for (i = 1; i <= n; i++)
		printf "%-24s%s%s%s%s%s\n", label(k[i]), \
		    col(11, 0, med("limit", "ceiling", k[i] "_commits")), \
		    col(11, 0, med("limit", "ceiling", k[i] "_rows")), \
		    col(9, 0, med("limit", "ceiling", k[i] "_p50_us")), \
		    col(9, 0, med("limit", "ceiling", k[i] "_p99_us")), \
		    col(9, 0, med("limit", "ceiling", k[i] "_cpu_us"))
	printf "%-24s%11.2f\n", "cores others used", \
	    med("limit", "ceiling", "other_cores")
}

function label(key) {
	sub(/^insert_/, "SQLite insert, ", key)
	sub(/^insdel_/, "SQLite insert+delete, ", key)
	sub(/^grow_1/, "fdatasync 4K, growing", key)
	sub(/^overwrite_1/, "fdatasync 4K, in place", key)
	return key
}

# Calls or sends at 1, 16, 64, 256; the ceiling is inserts of that batch size,
# for calls of one to a commit.
function rate_table(mode, what, fixed,    n, i, c, kind, batch) {
	heading(sprintf("%-14s%9s%9s%9s%9s%9s%9s%7s%7s", what, "A, /s", "ceiling", "p50 us", "p99 us", "max us", "CPU us", "own", "others"))
	n = split("1 16 64 256", c, " ")
	for (i = 1; i <= n; i++) {
		kind = mode "-" c[i]
		batch = fixed ? fixed : c[i]
		printf "%-14s%s%s%s%s%s%s%s%s%s\n", c[i], \
		    col(9, 0, med("A", kind, "rate")), \
		    col(9, 2, ratio("A", kind, "rate", "limit", "ceiling", "insert_" batch "_rows")), \
		    col(9, 0, med("A", kind, "p50_us")), \
		    col(9, 0, med("A", kind, "p99_us")), \
		    col(9, 0, med("A", kind, "max_us")), \
		    col(9, 1, med("A", kind, "broker_cpu_us")), \
		    col(7, 2, med("A", kind, "own_cores")), \
		    col(7, 2, med("A", kind, "other_cores")), \
		    other(kind, "rate")
	}
}

function parked_table(    n, i, c, kind) {
	heading(sprintf("%-14s%9s%9s%9s%9s%9s", "parked polls", "A, /s", "with/wo", "p99 us", "CPU us", "B/poll"))
	n = split("0 1000 10000", c, " ")
	for (i = 1; i <= n; i++) {
		kind = "parked-" c[i]
		printf "%-14s%s%s%s%s%s%s\n", c[i], \
		    col(9, 0, med("A", kind, "rate")), \
		    col(9, 3, med("A", kind, "ratio")), \
		    col(9, 0, med("A", kind, "p99_us")), \
		    col(9, 1, med("A", kind, "broker_cpu_us")), \
		    col(9, 0, med("A", kind, "bytes_per_poll")), \
		    other(kind, "rate")
	}
}

function backlog_row(what, kind, key, digits, unit,    n, i, c, s) {
	n = split("1000 100000 1000000", c, " ")
	s = sprintf("%-30s", what)
	for (i = 1; i <= n; i++)
		s = s col(12, digits, mega(med("A", kind "-" c[i], key), unit))
	for (i = 1; i <= n && two != ""; i++)
		s = s col(12, digits, mega(med("B", kind "-" c[i], key), unit))
	print s
}

function mega(v, unit) {
	return unit == "MiB" && v != "" ? v / 1048576 : v
}

function backlog_table() {
	printf "\n%-30s%12s%12s%12s", "queued", "1,000", "100,000", "1,000,000"
	print two == "" ? "" : sprintf("%12s%12s%12s  (B)", "1,000", "100,000", "1,000,000")
	backlog_row("fill, /s", "fill", "rate", 0)
	backlog_row("memory a message, bytes", "fill", "bytes_per_message", 0)
	backlog_row("memory when full, MiB", "fill", "rss", 1, "MiB")
	backlog_row("first transfer, ms", "first", "first_ms", 1)
	backlog_row("  messages it brought", "first", "first_messages", 0)
	backlog_row("restart to first answer, ms", "restart", "answer_ms", 0)
	backlog_row("memory after restart, MiB", "restart", "rss", 1, "MiB")
	backlog_row("transfer and ack, /s", "drain", "rate", 0)
	backlog_row("  CPU for each, us", "drain", "broker_cpu_us", 1)
}

# A goal: what, figure, and the bound ("least" or "most").
function goal(what, v, how, bound, digits,    met) {
	if (v == "")
		met = "not measured"
	else
		met = (how == "least" ? v >= bound : v <= bound) ? "met" : "MISSED"
	printf "%-52s%s  at %-5s %6s  %s\n", what, col(10, digits, v), how, bound, met
	printf "{\"goal\":\"%s\",\"figure\":%s,\"at\":\"%s\",\"bound\":%s,\"result\":\"%s\"}\n", \
	    what, v == "" ? "null" : v, how, bound, met >goals
	missed += met == "MISSED"
}

function goals_table(    n, i, c, kind) {
	print "\ngoals (broker A)"
	n = split("1 16 64 256", c, " ")
	for (i = 1; i <= n; i++)
		goal("send " c[i] ": of SQLite inserts, same batch", \
		    ratio("A", "send-" c[i], "rate", "limit", "ceiling", "insert_" c[i] "_rows"), \
		    "least", i == 1 ? 0.75 : i == 2 ? 0.45 : 0.40, 2)
	goal("rpc 1: of SQLite inserts, batch 1", ratio("A", "rpc-1", "rate", "limit", "ceiling", "insert_1_rows"), "least", 0.5, 2)
	goal("rpc 16: of rpc 1", ratio("A", "rpc-16", "rate", "A", "rpc-1", "rate"), "least", 4, 2)
	goal("rpc 64: of rpc 1", ratio("A", "rpc-64", "rate", "A", "rpc-1", "rate"), "least", 5.5, 2)
	goal("rpc 256: of rpc 64", ratio("A", "rpc-256", "rate", "A", "rpc-64", "rate"), "least", 1, 2)
	for (i = 1; i <= n; i++)
		goal("rpc " c[i] ": p99 of p50", ratio("A", "rpc-" c[i], "p99_us", "A", "rpc-" c[i], "p50_us"), "most", 3, 2)
	for (i = 1; i <= n; i++)
		goal("rpc " c[i] ": broker CPU, us", med("A", "rpc-" c[i], "broker_cpu_us"), "most", i == 1 ? 150 : 50, 1)
	goal("10,000 parked: rate with, of without", med("A", "parked-10000", "ratio"), "least", 0.95, 3)
	goal("10,000 parked: memory each, bytes", med("A", "parked-10000", "bytes_per_poll"), "most", 2048, 0)
	goal("1,000,000 queued: first transfer, ms", med("A", "first-1000000", "first_ms"), "most", 10, 1)
	goal("1,000,000 queued: memory in all, MiB", mega(med("A", "fill-1000000", "rss"), "MiB"), "most", 64, 1)
	goal("100,000 queued: restart to first answer, ms", med("A", "restart-100000", "answer_ms"), "most", 300, 0)
	goal("100,000 queued: memory a message, bytes", med("A", "fill-100000", "bytes_per_message"), "most", 900, 0)
	printf "missed: %d\n", missed
}

END {
	ceiling_table()
	rate_table("rpc", "rpc, callers", 1)
	rate_table("send", "send, conns", 0)
	parked_table()
	backlog_table()
	goals_table()
	status = 0
	for (k in faulty) {
		print "FAULTS in " k ": " faulty[k]
		status = 1
	}
	exit status
}
