a = b ? c : d
f = (
  b
  ? c
  : d
)
g = b ? c : d ? e : f
