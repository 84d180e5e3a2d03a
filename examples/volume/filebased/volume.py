#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""filebased: volumes (the scripts Volume.*)."""

import os
import sys

import find_library  # noqa: F401
import xapi
import xapi.storage.api.v5.volume
from repository import Repository, remove
from xapi.storage import log
from xapi.storage.common import call

BLOCK = 4096


def describe(repository, key):
    """A volume as the toolstack wants to see it."""
    info = repository.read_volume(key)
    image = repository.image(key)
    st = os.stat(image)
    return {
        "key": key,
        "name": info["name"],
        "description": info["description"],
        "read_write": info["read_write"],
        "sharable": info["sharable"],
        "virtual_size": st.st_size,
        "physical_utilisation": st.st_blocks * 512,
        "uri": ["loop+file://" + image],
        "keys": info["keys"],
    }


def copy_data(dbg, source, target):
    """A copy of an image that shares blocks where the file system can."""
    call(dbg, ["cp", "--reflink=auto", "--sparse=always", "--", source,
               target])
    sync(target)


def sync(path):
    """Make a file's data durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def round_up(size):
    """The size that a volume of at least this size has."""
    if size < 0:
        raise xapi.XenAPIException(
            "SR_BACKEND_FAILURE", ["a size cannot be negative", str(size)])
    return max(1, -(-size // BLOCK)) * BLOCK


class Implementation(xapi.storage.api.v5.volume.Volume_skeleton):
    """A volume is an image and a description beside it."""

    def _open(self, sr):
        repository = Repository(sr)
        repository.must_be_attached()
        return repository

    def create(self, dbg, sr, name, description, size, sharable):
        repository = self._open(sr)
        with repository.locked():
            key = repository.new_key()
            image = repository.image(key)
            with open(image, "wb") as f:
                f.truncate(round_up(size))
                f.flush()
                os.fsync(f.fileno())
            repository.write_volume(key, {
                "name": name, "description": description,
                "read_write": True, "sharable": sharable, "keys": {}})
            return describe(repository, key)

    def _copy(self, dbg, sr, key, read_write):
        """A new volume with the data of another, without its notes."""
        repository = self._open(sr)
        with repository.locked():
            info = repository.read_volume(key)
            new = repository.new_key()
            try:
                copy_data(dbg, repository.image(key), repository.image(new))
            except xapi.InternalError:
                remove(repository.image(new))
                raise
            repository.write_volume(
                new, dict(info, read_write=read_write, keys={}))
            return describe(repository, new)

    def snapshot(self, dbg, sr, key):
        return self._copy(dbg, sr, key, False)

    def clone(self, dbg, sr, key):
        return self._copy(dbg, sr, key, True)

    def revert(self, dbg, sr, snapshot, key):
        repository = self._open(sr)
        with repository.locked():
            repository.read_volume(key)
            repository.read_volume(snapshot)
            image = repository.image(key)
            try:
                copy_data(dbg, repository.image(snapshot), image + ".new")
                os.rename(image + ".new", image)
            finally:
                remove(image + ".new")

    def destroy(self, dbg, sr, key):
        repository = self._open(sr)
        with repository.locked():
            repository.remove_volume(key)

    def stat(self, dbg, sr, key):
        repository = self._open(sr)
        with repository.locked():
            return describe(repository, key)

    def resize(self, dbg, sr, key, new_size):
        repository = self._open(sr)
        with repository.locked():
            present = describe(repository, key)["virtual_size"]
            if round_up(new_size) < present:
                raise xapi.XenAPIException(
                    "SR_BACKEND_FAILURE",
                    ["volumes do not shrink", key, str(present)])
            with open(repository.image(key), "r+b") as f:
                f.truncate(round_up(new_size))
                os.fsync(f.fileno())

    def _change(self, sr, key, change):
        repository = self._open(sr)
        with repository.locked():
            info = repository.read_volume(key)
            change(info)
            repository.write_volume(key, info)

    def set_name(self, dbg, sr, key, new_name):
        self._change(sr, key, lambda info: info.update(name=new_name))

    def set_description(self, dbg, sr, key, new_description):
        self._change(
            sr, key, lambda info: info.update(description=new_description))

    def set(self, dbg, sr, key, k, v):
        self._change(sr, key, lambda info: info["keys"].update({k: v}))

    def unset(self, dbg, sr, key, k):
        self._change(sr, key, lambda info: info["keys"].pop(k, None))


if __name__ == "__main__":
    log.log_call_argv()
    cmd = xapi.storage.api.v5.volume.Volume_commandline(Implementation())
    name = os.path.basename(sys.argv[0])
    if name.split(".")[0] == "Volume" and name.split(".")[-1] in dir(cmd):
        getattr(cmd, name.split(".")[1])()
    else:
        raise xapi.storage.api.v5.volume.Unimplemented(name)
