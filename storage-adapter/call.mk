# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Calls: pure, from the bytes of a message to the bytes of its reply.
libadapter_a_SOURCES += storage-adapter/call.h storage-adapter/call_int.h \
	storage-adapter/call.c \
	storage-adapter/call_rows.c \
	storage-adapter/call_do.c \
	storage-adapter/call_make.c \
	storage-adapter/call_args.c \
	storage-adapter/call_env.c \
	storage-adapter/call_json.c storage-adapter/call_json.h \
	storage-adapter/call_text.c storage-adapter/call_text.h \
	storage-adapter/outcome.c storage-adapter/outcome.h \
	storage-adapter/pick.c storage-adapter/pick.h \
	storage-adapter/v2.c storage-adapter/v2_value.c storage-adapter/v2.h
$(libadapter_a_OBJECTS): idl/gen_smapi.h
