a = <<EOT
 x
EOT