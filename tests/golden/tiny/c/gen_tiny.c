/* Made by xmsg-idl from the declarations of tiny 1.2: change those
 * instead. */
#include "gen_tiny.h"

static const struct idl_type pair_idl_string_idl_float = {
    .kind = IDL_PAIR,
    .name = "pair<label, float>",
    .a = &idl_string,
    .b = &idl_float,
};

static const struct idl_type list_pair_idl_string_idl_float = {
    .kind = IDL_LIST,
    .name = "list<pair<label, float>>",
    .a = &pair_idl_string_idl_float,
};

static const struct idl_field colour_tags[] = {
    {"Plain", NULL, false},
    {"Mixed", &list_pair_idl_string_idl_float, false},
    {NULL, NULL, false},
};

const struct idl_type tiny_colour = {
    .kind = IDL_VARIANT,
    .name = "colour",
    .fields = colour_tags,
    .dflt = "Plain",
};

static const struct idl_type map_idl_string = {
    .kind = IDL_MAP,
    .name = "map<label>",
    .a = &idl_string,
};

static const struct idl_field thing_fields[] = {
    {"label", &idl_string, false},
    {"size", &idl_int, false},
    {"weight", &idl_int64, false},
    {"fragile", &idl_bool, false},
    {"colour", &tiny_colour, true},
    {"notes", &map_idl_string, false},
    {NULL, NULL, false},
};

const struct idl_type tiny_thing = {
    .kind = IDL_RECORD,
    .name = "thing",
    .fields = thing_fields,
};

static const struct idl_field Box_put_params[] = {
    {"dbg", &idl_string, false},
    {"what", &idl_string, false},
    {NULL, NULL, false},
};

static const struct idl_type list_tiny_thing = {
    .kind = IDL_LIST,
    .name = "list<thing>",
    .a = &tiny_thing,
};

static const struct idl_field Box_look_params[] = {
    {"dbg", &idl_string, false},
    {"colour", &tiny_colour, false},
    {"limits", &map_idl_string, false},
    {NULL, NULL, false},
};

const struct idl_method tiny_methods[TINY_N_METHODS] = {
    [TINY_BOX_PUT] =
	{
	    .name = "Box.put",
	    .script = "Box.put",
	    .feature = "BOX_PUT",
	    .params = Box_put_params,
	    .result = &idl_unit,
	    .idempotent = false,
	},
    [TINY_BOX_LOOK] =
	{
	    .name = "Box.look",
	    .script = "Box.look",
	    .params = Box_look_params,
	    .result = &list_tiny_thing,
	    .idempotent = true,
	},
};

const struct idl_type *const tiny_types[] = {
    &tiny_colour,
    &tiny_thing,
    NULL,
};

const char *const tiny_errors[] = {
    "Glued",
    NULL,
};

const char *const tiny_features[] = {
    "BOX_PUT",
    NULL,
};
