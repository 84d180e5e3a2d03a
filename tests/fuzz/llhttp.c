/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * llhttp, from the sources that the package node-llhttp installs, compiled for
 * the test that compares our parser with it.  Nothing of it is in this tree.
 * The other half is llhttp_api.c: the two declare the same functions in ways
 * that differ.
 */
#include <llhttp.c>
