a=b.*.c.0.d
e = b . * . c
