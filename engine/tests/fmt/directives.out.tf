a = "%{if b}c%{else}d%{endif}"
e = "%{for x in y~}${x}%{endfor}"
f = "%{~if g~}h%{~endif~}"
