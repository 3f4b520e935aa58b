été = "decomposed"
a   = "plain"
b   = "日本"      # wide
c   = "👨‍👩‍👧"       # family
d   = "abcdefg" # letters
