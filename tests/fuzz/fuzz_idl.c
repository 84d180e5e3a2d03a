/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * idl: whatever the bytes are, loading ends, says what is wrong, and leaks
 * nothing; what has no problems goes through every emitter.
 */
#include "fuzz.h"

#include "check.h"
#include "emit.h"
#include "load.h"

/* Every format of a good model. */
static void
emit_all(const struct api *api)
{
	const struct out_file *f;
	struct out o;
	size_t i;

	for (i = 0; emitters[i] != NULL; i++) {
		o = (struct out){NULL};
		emitters[i]->emit(api, &o);
		promise(o.files != NULL);
		for (f = o.files; f != NULL; f = f->next)
			promise(buf_ok(&f->text));
		out_fini(&o);
	}
}

/* One file of declarations. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct diag d = DIAG_INIT;
	struct api *api = api_new();
	char *text = fuzz_copy(data, n);

	load_text(api, "f", text, n, &d);
	promise(!api->broken || d.n > 0);
	if (!api->broken)
		load_link(api, &d);
	if (d.n == 0)
		check_api(api, &d);
	promise(d.n == 0 || d.text.n > 0);
	if (d.n == 0)
		emit_all(api);
	api_free(api);
	diag_fini(&d);
	free(text);
	return 0;
}
