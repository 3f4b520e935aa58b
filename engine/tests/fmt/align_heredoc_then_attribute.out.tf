a         = <<EOT
x
EOT
long_name = 1
