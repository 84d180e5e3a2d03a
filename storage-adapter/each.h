/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Loops over what jansson holds; not at all when it is NULL or of another
 * type.  One condition for each, where jansson's own have two. */
#ifndef XMSG_ADAPTER_EACH_H
#define XMSG_ADAPTER_EACH_H

#include <jansson.h>

#define array_each(array, i, v)                                                \
	for ((i) = 0; ((v) = json_array_get((array), (i))) != NULL; (i)++)

/* The member of the moment may be set anew. */
#define object_each(object, key, v)                                            \
	for ((key) = json_object_iter_key(json_object_iter(object));           \
	     ((v) = json_object_iter_value(json_object_key_to_iter(key))) !=   \
	     NULL;                                                             \
	     (key) = json_object_iter_key(json_object_iter_next(               \
		 (object), json_object_key_to_iter(key))))

#endif
