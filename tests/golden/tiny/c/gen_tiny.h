/* Made by xmsg-idl from the declarations of tiny 1.2: change those
 * instead. */
#ifndef GEN_tiny_H
#define GEN_tiny_H

#include "idlval.h"

enum tiny_method {
	TINY_BOX_PUT,
	TINY_BOX_LOOK,
	TINY_N_METHODS
};

/* By that number. */
extern const struct idl_method tiny_methods[TINY_N_METHODS];

/* The name of every declared error, NULL at the end. */
extern const char *const tiny_errors[];

/* Every feature word, NULL at the end. */
extern const char *const tiny_features[];

extern const struct idl_type tiny_colour;
extern const struct idl_type tiny_thing;

/* All of these, NULL at the end. */
extern const struct idl_type *const tiny_types[];

#endif
