# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""For old versions of pip, and for setuptools; backend.py says the same."""

from setuptools import setup

setup(
    name="xapi-storage",
    version="0.1",
    description="Libraries for storage plugins (SMAPIv3)",
    license="ISC",
    packages=["xapi", "xapi.storage", "xapi.storage.api",
              "xapi.storage.api.v5"],
    package_data={"": ["*.pyi", "py.typed"]},
    python_requires=">=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, "
    "!=3.5.*",
    zip_safe=False,
)
