#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""filebased: who this plugin is (Plugin.Query, Plugin.diagnostics)."""

import os
import sys

import find_library  # noqa: F401
import repository
import xapi.storage.api.v5.plugin
from xapi.storage import log


class Implementation(xapi.storage.api.v5.plugin.Plugin_skeleton):
    """The calls about the plugin itself."""

    def query(self, dbg):
        return {
            "plugin": "filebased",
            "name": "File-backed volumes",
            "description": "Keeps each volume as a sparse file in a folder",
            "vendor": "The xmsg authors",
            "copyright": "2026 the xmsg authors",
            "version": "1.0",
            "required_api_version": "5.0",
            "features": ["THIN_PROVISIONING", "VDI_REVERT"],
            "configuration": {
                repository.URI: "The folder, as file:///path",
            },
            "required_cluster_stack": [],
        }

    def diagnostics(self, dbg):
        return "filebased 1.0, Python %s" % sys.version.split()[0]


if __name__ == "__main__":
    log.log_call_argv()
    cmd = xapi.storage.api.v5.plugin.Plugin_commandline(Implementation())
    base = os.path.basename(sys.argv[0])
    if base == "Plugin.Query":
        cmd.query()
    elif base == "Plugin.diagnostics":
        cmd.diagnostics()
    else:
        raise xapi.storage.api.v5.plugin.Unimplemented(base)
