#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""filebased: storage repositories (the scripts SR.*)."""

import os
import sys

import find_library  # noqa: F401
import volume
import xapi
import xapi.storage.api.v5.volume
from repository import SCHEME, URI, Repository, folder_of, remove
from xapi.storage import log


class Implementation(xapi.storage.api.v5.volume.SR_skeleton):
    """A repository is a folder; its handle is the folder's path."""

    def probe(self, dbg, configuration):
        folder = folder_of(configuration)
        if not os.path.isdir(folder):
            raise xapi.storage.api.v5.volume.SR_does_not_exist(
                SCHEME + folder)
        found = {
            "configuration": {URI: SCHEME + folder},
            "complete": True,
            "extra_info": {},
        }
        if Repository(folder).exists():
            found["sr"] = self._stat(Repository(folder))
        return [found]

    def create(self, dbg, uuid, configuration, name, description):
        folder = folder_of(configuration)
        if not os.path.isdir(folder):
            os.makedirs(folder, 0o700)
        repository = Repository(folder)
        with repository.locked():
            if repository.exists():
                raise xapi.XenAPIException(
                    "SR_BACKEND_FAILURE",
                    ["there is a storage repository already", folder])
            repository.write({
                "uuid": uuid, "name": name, "description": description,
                "next": 1})
        return {URI: SCHEME + folder}

    def attach(self, dbg, configuration):
        repository = Repository(folder_of(configuration))
        repository.attach()
        return repository.folder

    def detach(self, dbg, sr):
        Repository(sr).detach()

    def destroy(self, dbg, sr):
        repository = Repository(sr)
        repository.must_be_attached()
        with repository.locked():
            for key in repository.keys():
                repository.remove_volume(key)
            remove(os.path.join(sr, "sr.json"))
        repository.detach()
        remove(os.path.join(sr, "lock"))

    def _stat(self, repository):
        info = repository.read()
        fs = os.statvfs(repository.folder)
        return {
            "sr": repository.folder,
            "uuid": info["uuid"],
            "name": info["name"],
            "description": info["description"],
            "free_space": fs.f_bavail * fs.f_frsize,
            "total_space": fs.f_blocks * fs.f_frsize,
            "datasources": [],
            "clustered": False,
            "health": ["Healthy", ""],
        }

    def stat(self, dbg, sr):
        repository = Repository(sr)
        repository.must_be_attached()
        return self._stat(repository)

    def _change(self, sr, member, value):
        repository = Repository(sr)
        repository.must_be_attached()
        with repository.locked():
            repository.write(dict(repository.read(), **{member: value}))

    def set_name(self, dbg, sr, new_name):
        self._change(sr, "name", new_name)

    def set_description(self, dbg, sr, new_description):
        self._change(sr, "description", new_description)

    def ls(self, dbg, sr):
        repository = Repository(sr)
        repository.must_be_attached()
        with repository.locked():
            return [volume.describe(repository, key)
                    for key in repository.keys()]


if __name__ == "__main__":
    log.log_call_argv()
    cmd = xapi.storage.api.v5.volume.SR_commandline(Implementation())
    call = os.path.basename(sys.argv[0])
    if call.split(".")[0] == "SR" and call.split(".")[-1] in dir(cmd):
        getattr(cmd, call.split(".")[1])()
    else:
        raise xapi.storage.api.v5.volume.Unimplemented(call)
