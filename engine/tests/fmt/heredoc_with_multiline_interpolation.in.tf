a = <<EOT
x ${f(
1,
  2
)} y
EOT
