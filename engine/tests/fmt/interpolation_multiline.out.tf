a = b
c = (b ? c
: d)
e = (f(
  1
))
g = (
  a
)
h = (a ||
b)
