# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

# Files as C strings: `awk -f embed.awk style.css page.js` makes html_style_css
# and html_page_js.

FNR == 1 {
	if (NR > 1)
		print "    ;"
	name = FILENAME
	sub(/.*\//, "", name)
	gsub(/[^A-Za-z0-9]/, "_", name)
	print "static const char html_" name "[] ="
}
{
	gsub(/\\/, "\\\\\\\\")
	gsub(/"/, "\\\\\"")
	gsub(/\t/, "\\\\t")
	print "    \"" $0 "\\n\""
}
END { print "    ;" }
