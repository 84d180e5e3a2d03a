# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""A storage repository as a folder of files.

    FOLDER/sr.json          name, description, uuid, the next free number
    FOLDER/vol-N.img        a volume's data, sparse
    FOLDER/vol-N.json       what is known of it
    FOLDER/attached-HOST    there while the repository is attached on HOST

A volume exists when its .json does; the data is put there first and removed
last, and every .json is replaced whole, so that a crash at any moment leaves
a repository that can be used.  One lock makes calls take turns.
"""

import contextlib
import errno
import fcntl
import json
import os
import platform
import tempfile

import find_library  # noqa: F401
from xapi.storage.api.v5.volume import (
    SR_does_not_exist, Sr_not_attached, Volume_does_not_exist)

URI = "file-uri"
SCHEME = "file://"


def folder_of(configuration):
    """The folder that a device configuration points to."""
    uri = configuration.get(URI, "")
    if not uri.startswith(SCHEME + "/"):
        raise SR_does_not_exist(uri)
    return os.path.realpath(uri[len(SCHEME):])


def sync_folder(folder):
    """Make names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_json(path, value):
    """Replace a file whole, durably."""
    folder = os.path.dirname(path)
    fd, temporary = tempfile.mkstemp(prefix=".new-", dir=folder)
    try:
        with os.fdopen(fd, "w") as f:
            json.dump(value, f, indent=1, sort_keys=True)
            f.flush()
            os.fsync(f.fileno())
        os.rename(temporary, path)
    except BaseException:
        remove(temporary)
        raise
    sync_folder(folder)


def remove(path):
    """Remove a file that may be gone already."""
    try:
        os.unlink(path)
    except OSError as e:
        if e.errno != errno.ENOENT:
            raise


class Repository(object):
    """One repository, by its folder."""

    def __init__(self, folder):
        self.folder = folder

    def _path(self, name):
        return os.path.join(self.folder, name)

    def exists(self):
        return os.path.exists(self._path("sr.json"))

    def _marker(self):
        return self._path("attached-" + platform.node())

    def read(self):
        """What is known of the repository."""
        try:
            with open(self._path("sr.json")) as f:
                return json.load(f)
        except IOError as e:
            if e.errno != errno.ENOENT:
                raise
            raise SR_does_not_exist(SCHEME + self.folder)

    def write(self, info):
        write_json(self._path("sr.json"), info)

    @contextlib.contextmanager
    def locked(self):
        """Nobody else changes the repository meanwhile."""
        with open(self._path("lock"), "a") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            yield

    def attach(self):
        self.read()
        open(self._marker(), "a").close()

    def detach(self):
        remove(self._marker())

    def must_be_attached(self):
        if not os.path.exists(self._marker()):
            raise Sr_not_attached(self.folder)

    # ---- volumes ----

    def image(self, key):
        return self._path(key + ".img")

    def keys(self):
        """Every volume, the oldest first."""
        keys = [name[:-len(".json")] for name in os.listdir(self.folder)
                if name.startswith("vol-") and name.endswith(".json")]
        return sorted(keys, key=lambda key: int(key[len("vol-"):]))

    def read_volume(self, key):
        """What is stored of a volume."""
        try:
            if os.sep in key:
                raise Volume_does_not_exist(key)
            with open(self._path(key + ".json")) as f:
                return json.load(f)
        except IOError as e:
            if e.errno != errno.ENOENT:
                raise
            raise Volume_does_not_exist(key)

    def write_volume(self, key, info):
        write_json(self._path(key + ".json"), info)

    def remove_volume(self, key):
        self.read_volume(key)
        remove(self._path(key + ".json"))
        sync_folder(self.folder)
        remove(self.image(key))

    def new_key(self):
        """A key that no volume ever had; call it with the lock held."""
        info = self.read()
        number = info["next"]
        info["next"] = number + 1
        self.write(info)
        return "vol-%d" % number
