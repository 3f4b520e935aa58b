a=1
bcd=2 # x
e {
f=1
/* g
h */
}
i=<<EOT
  j
EOT
