a = {
  b         = <<EOT
x
EOT
  long_name = 1
}
