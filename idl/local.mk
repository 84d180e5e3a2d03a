# The generator of everything that speaks the storage interface.
noinst_LIBRARIES += libidl.a
libidl_a_SOURCES = \
	idl/arena.c idl/arena.h \
	idl/diag.c idl/diag.h \
	idl/yml.c idl/yml.h \
	idl/model.c idl/model.h \
	idl/value.c \
	idl/prose.c idl/prose.h \
	idl/load.c idl/load.h idl/load_int.h idl/load_type.c \
	idl/link.c \
	idl/check.c idl/check.h \
	idl/emit.c idl/emit.h \
	idl/emit_list.c \
	idl/emit_json.c
libidl_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/idl $(YAML_CFLAGS) $(JANSSON_CFLAGS)

bin_PROGRAMS += xmsg-idl
xmsg_idl_SOURCES = idl/main.c
xmsg_idl_CPPFLAGS = $(libidl_a_CPPFLAGS) \
	-DXMSG_VERSION='"$(PACKAGE_VERSION)"' -DXMSG_APIDIR='"$(idlapidir)"'
IDL_LIBS = libidl.a libbase.a $(YAML_LIBS) $(JANSSON_LIBS)
xmsg_idl_LDADD = $(IDL_LIBS)
xmsg_idl_LDFLAGS = $(AM_LDFLAGS) $(PIE_LDFLAGS)

# The declarations.
idlapidir = $(pkgdatadir)/idl
idl_api = \
	idl/api/api.yaml \
	idl/api/datapath.yaml \
	idl/api/plugin.yaml \
	idl/api/task.yaml \
	idl/api/volume.yaml
dist_idlapi_DATA = $(idl_api)
EXTRA_DIST += idl/api/SCHEMA.md
