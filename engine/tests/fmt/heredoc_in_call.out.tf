a = jsonencode(<<EOT
{ "x" :1}
EOT
)
b = join(",", [<<A
  one
A
  , <<B
  two
B
])
